"""What ``make lab`` starts: a server that answers to its token, where a notebook runs and its widget is dragged."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient

ROOT = Path(__file__).parents[2]
NOTEBOOK = Path("notebooks/00_start_here.ipynb")
SECONDS = 120  # for whatever has to start: many times what it takes, for machines that have more to do
PICTURE = """() => {
  const { width, height } = document.querySelector(".latent-explorer .picture");
  const pen = document.querySelector(".latent-explorer .picture").getContext("2d");
  return [...pen.getImageData(0, 0, width, height).data];
}"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(port: int, token: str) -> tuple[int, dict]:
    """The HTTP status, and what the server says of itself to whoever names this token."""
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/api/status", headers={"Authorization": f"token {token}"})
        answer = connection.getresponse()
        return answer.status, json.load(answer)


def in_kernel(runtime: Path, expression: str) -> str:
    """How the only kernel, asked past its notebook, shows the value of an expression."""
    (file,) = runtime.glob("kernel-*.json")
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    try:
        reply = client.execute("", user_expressions={"it": expression}, reply=True, timeout=SECONDS)
    finally:
        client.stop_channels()
    return reply["content"]["user_expressions"]["it"]["data"]["text/plain"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Port, token and runtime folder of what ``make lab`` starts in the smoke profile, on a copy of the first notebook.

    The reader's notebooks, Jupyter settings and installation are left alone.
    """
    if shutil.which("make") is None or os.name == "nt":
        pytest.skip("there is no make here")
    folder, port, token = tmp_path_factory.mktemp("lab"), free_port(), secrets.token_hex(16)
    (folder / NOTEBOOK).parent.mkdir()
    shutil.copy(ROOT / NOTEBOOK, folder / NOTEBOOK)
    environment = {**os.environ, "AAE_PROFILE": "smoke", "AAE_DATA": "", "OMP_NUM_THREADS": "1", "MAKEFLAGS": ""}
    kinds = ("JUPYTER_CONFIG", "JUPYTER_DATA", "JUPYTER_RUNTIME", "JUPYTERLAB_SETTINGS", "JUPYTERLAB_WORKSPACES")
    environment |= {f"{kind}_DIR": str(folder / kind) for kind in kinds} | {"IPYTHONDIR": str(folder / "ipython")}
    command = ["make", f"--makefile={ROOT / 'Makefile'}", "--old-file=.venv/.installed", "lab"]
    command += [f"VENV_PYTHON={sys.executable}"]
    command += [f"LAB=--no-browser --allow-root --ServerApp.port={port} --IdentityProvider.token={token}"]
    with (folder / "log").open("wb") as log:
        make = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    deadline = time.monotonic() + SECONDS
    try:
        while True:
            with contextlib.suppress(OSError):  # nobody listens yet
                ask(port, token)
                break
            log = (folder / "log").read_text(encoding="utf-8", errors="replace")
            assert make.poll() is None and time.monotonic() < deadline, f"make lab has not started:\n{log}"
            time.sleep(0.2)
        yield port, token, folder / "JUPYTER_RUNTIME"
    finally:
        make.terminate()  # which it passes on and waits for, as the server does with its kernels
        try:
            make.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(make.pid, signal.SIGKILL)
            make.wait()


def test_make_lab_answers_to_its_token_alone(lab):
    port, token, _ = lab
    status, content = ask(port, token)
    assert status == 200 and {"started", "kernels"} <= set(content)
    status, content = ask(port, "another")
    assert status == 403 and "started" not in content


def test_a_notebook_runs_and_its_widget_is_dragged(lab, browser):
    port, token, runtime = lab
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(1000 * SECONDS)
    page.goto(f"http://127.0.0.1:{port}/lab/tree/{NOTEBOOK.name}?token={token}")
    page.get_by_text("| Idle").wait_for()  # the kernel
    run_all = page.get_by_role("menuitem", name="Run All Cells", exact=True)
    while not run_all.is_visible():  # a page that is still being built may close its menus
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.wait_for_timeout(500)
    run_all.click()

    pad = page.locator(".latent-explorer .pad")
    pad.scroll_into_view_if_needed()
    before, place, box = page.evaluate(PICTURE), pad.get_attribute("aria-label"), pad.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_function(f"before => String(({PICTURE})()) !== String(before)", arg=before)
    assert pad.get_attribute("aria-label") != place

    deadline = time.monotonic() + SECONDS
    while in_kernel(runtime, "_.z") == "[0.0, 0.0]":  # _: what the notebook showed last
        assert time.monotonic() < deadline, "the kernel has not heard of the drag"
    page.close()
