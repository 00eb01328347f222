"""Servers on loopback that misbehave: silent, dripping or endless ones."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Serve = Callable[[socket.socket], None]


def silent(connection: socket.socket) -> None:
    time.sleep(30)


def dripping(connection: socket.socket) -> None:
    """A header a tenth of a second, without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(300):
        connection.sendall(b"X-%d: y\r\n" % number)
        time.sleep(0.05)


def dripping_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(300):
        connection.sendall(b" ")
        time.sleep(0.05)


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


@contextmanager
def server(serve: Serve) -> Iterator[tuple[str, list[bytes]]]:
    """Address, and the requests that came."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def handle(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            heard.append(connection.recv(65536))
            serve(connection)

    def listen() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        listener.close()
