"""Slides in a browser without a network: formulas are set, nothing is cut off, the keyboard leads to the end."""

import nbformat

from tools import notebooks, slides

TALLEST = """() => {
  for (const column of document.querySelectorAll(".slides > section")) column.style.display = "block";
  return Math.max(...[...document.querySelectorAll(".slides > section > section")].map((section) => {
    section.style.display = "block";
    return section.scrollHeight - section.clientHeight;
  }));
}"""


def test_slides_work_without_a_network(browser, tmp_path):
    (path,) = notebooks.NOTEBOOKS.glob("02_*.ipynb")
    file = tmp_path / "slides.html"
    file.write_text(slides.to_slides(nbformat.read(path, as_version=4), path.stem), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert page.locator(".katex").count() > 20 and page.locator(".katex-error").count() == 0
    count = page.evaluate("Reveal.getTotalSlides()")
    for _ in range(count):
        page.keyboard.press("Space")
    assert count > 20 and page.evaluate("Reveal.isLastSlide()")
    page.screenshot()
    assert page.evaluate(TALLEST) <= 4, "a slide is taller than the screen"
    assert said == [] and not [address for address in asked if not address.startswith(("file:", "data:"))]
    context.close()
