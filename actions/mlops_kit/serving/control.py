"""Where a server is asked to look at its stage at once: a port on this machine, which Envoy forwards to."""

import asyncio
import json
from collections.abc import Callable

from mlops_kit.serving.address import Address
from mlops_kit.serving.envoy.configuration import BODY_AT_MOST
from mlops_kit.serving.loopback import HOST

WITHIN = 5.0  # seconds


async def listen(refresh: Callable[[], bool]) -> tuple[asyncio.Server, Address]:
    """Call `refresh` for each request. It returns False if the server follows no stage."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(WITHIN):
                await _read(reader)
                writer.write(_answer(refresh()))
                await writer.drain()
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked is gone, or does not speak HTTP
        finally:
            writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    return server, Address(HOST, server.sockets[0].getsockname()[1])


async def _read(reader: asyncio.StreamReader) -> None:
    """To the end of the body; only then may the connection be closed."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-length":
            await reader.readexactly(min(int(value), BODY_AT_MOST))


def _answer(follows: bool) -> bytes:
    says = "the stage is looked at" if follows else "this server follows no stage"
    body, status = json.dumps({"says": says}).encode(), "202 Accepted" if follows else "409 Conflict"
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}connection: close\r\n\r\n".encode() + body
