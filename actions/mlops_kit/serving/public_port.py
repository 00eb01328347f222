"""The port that callers use, reserved before anything is started."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mlops_kit.base.errors import KitError
from mlops_kit.serving.envoy import Address

PORT = "Choose another one with --port, or --port 0 for any that is free."


@contextmanager
def reserved(host: str, port: int) -> Iterator[Address]:
    """The address, which no other program gets inside the block; port 0 takes a free one.

    Envoy's processes share it. Raises KitError if it is taken.
    """
    family, address = _resolved(host, port)
    with socket.socket(family, socket.SOCK_STREAM) as alone:
        alone.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # connections of an earlier server may linger
        _bind(alone, address, port)
        number = alone.getsockname()[1]
    with socket.socket(family, socket.SOCK_STREAM) as shared:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with suppress(OSError):  # connections that linger; Envoy itself can bind
            shared.bind((address, number))
        yield Address(address, number)


def _resolved(host: str, port: int) -> tuple[int, str]:
    try:
        family, *_, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise KitError(
            f"{host!r} is no address of this machine: {error.strerror}.", "Give --host another one."
        ) from error
    return family, str(found[0])


def _bind(one: socket.socket, address: str, port: int) -> None:
    try:
        one.bind((address, port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise KitError(f"Port {port} of {address} cannot be used: {error.strerror}.", PORT) from error
        raise KitError(f"Port {port} is taken: another program answers there.", PORT) from error
