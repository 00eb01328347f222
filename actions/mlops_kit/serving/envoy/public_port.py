"""The port that callers use: reserved before anything is started, closed without breaking a connection off."""

import ctypes
import errno
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.serving.address import Address

OTHER_PORT = "Choose another one with --port, or --port 0 for any that is free."
SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF = 26, 51  # of Linux; Python has no names for them
RETURN = 0x06  # the instruction of a packet filter that ends it with a number
LISTENING, HALF_OPEN = "0A", "03"  # states in /proc/net/tcp
ACCEPTED_WITHIN = 2.0  # seconds


@dataclass(frozen=True)
class PublicPort:
    address: Address
    held: socket.socket  # shares the port with Envoy's processes, and does not listen until the end

    def turn_away(self) -> None:
        """From now on no new connection reaches Envoy, and it takes those that wait. On Linux alone.

        A listener that is closed breaks off the connections that wait in its queue, whose requests were sent already.
        So a socket of ours gets all new connections first. It drops their first packet, which is repeated after a
        second: by then nothing listens any more, and the connection is refused.
        """
        if sys.platform != "linux":
            return
        with suppress(OSError):
            self._filter(SO_ATTACH_FILTER, 0)  # take no byte of a packet
            self.held.listen(0)
            self._filter(SO_ATTACH_REUSEPORT_CBPF, len(self._states(LISTENING)) - 1)  # the newest is the last
            deadline = time.monotonic() + ACCEPTED_WITHIN
            while self._waiting() and time.monotonic() < deadline:
                time.sleep(0.02)

    def _filter(self, option: int, answer: int) -> None:
        program = ctypes.create_string_buffer(struct.pack("HBBI", RETURN, 0, 0, answer))
        self.held.setsockopt(socket.SOL_SOCKET, option, struct.pack("HP", 1, ctypes.addressof(program)))

    def _waiting(self) -> bool:
        return bool(self._states(HALF_OPEN)) or any(queue != 0 for queue in self._states(LISTENING))

    def _states(self, state: str) -> list[int]:
        """The lengths of the queues of the port's sockets in a state."""
        table = Path("/proc/net/tcp6" if self.held.family == socket.AF_INET6 else "/proc/net/tcp")
        rows = [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
        here = f":{self.address.port:04X}"
        return [
            int(row[4].partition(":")[2], 16) for row in rows if row[1].endswith(here) and row[3] == state
        ]


@contextmanager
def reserved(host: str, port: int) -> Iterator[PublicPort]:
    """The port, which no other program gets inside the block; port 0 takes a free one.

    Envoy's processes share it. Raises KitError if it is taken.
    """
    family, address = _resolved(host, port)
    with socket.socket(family, socket.SOCK_STREAM) as alone:
        # Connections of an earlier server may linger.
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(alone, address, port)
        number = alone.getsockname()[1]
    with socket.socket(family, socket.SOCK_STREAM) as shared:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with suppress(OSError):  # connections that linger; Envoy itself can bind
            shared.bind((address, number))
        yield PublicPort(Address(address, number), shared)


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
            raise KitError(
                f"Port {port} of {address} cannot be used: {error.strerror}.", OTHER_PORT
            ) from error
        raise KitError(f"Port {port} is taken: another program answers there.", OTHER_PORT) from error
