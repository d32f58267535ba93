"""What holds for every test: the smoke profile, no data but the built-in digits, no network, no window, one thread."""

import ipaddress
import os
import socket

import matplotlib
import torch

os.environ["AAE_PROFILE"] = "smoke"
os.environ.pop("AAE_DATA", None)
matplotlib.use("agg")
torch.set_num_threads(1)

_connect = socket.socket.connect
_getaddrinfo = socket.getaddrinfo


def _is_this_machine(host: str | None) -> bool:
    try:
        return host in (None, "", "localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse(host: object) -> None:
    raise OSError(f"tests must not use the network, but one asked for {host}")


def _connect_locally(self: socket.socket, address: object) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_this_machine(address[0]):
        _refuse(address[0])
    _connect(self, address)


def _look_up_locally(host, *arguments, **options):
    if not _is_this_machine(host):
        _refuse(host)
    return _getaddrinfo(host, *arguments, **options)


socket.socket.connect = _connect_locally
socket.getaddrinfo = _look_up_locally
