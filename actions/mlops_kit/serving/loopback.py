"""Ports and HTTP requests on this machine, between the server and its processes."""

import socket
from http.client import HTTPConnection, HTTPException

from mlops_kit.serving.address import Address

HOST = "127.0.0.1"


def free(count: int) -> list[Address]:
    """Ports that nobody uses now."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return [Address(HOST, port) for port in ports]


def ask(address: Address, path: str, method: str = "GET", timeout: float = 2.0) -> tuple[int, bytes]:
    """Status and body; status 0 if there is no answer."""
    connection = HTTPConnection(address.host, address.port, timeout=timeout)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()
