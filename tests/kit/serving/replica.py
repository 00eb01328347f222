"""A replica that knows no model: it answers with its version and process, after a while. Run by `mlops-kit serve`.

model.txt of the version tells it what to do: `delay SECONDS`, `refuse SENTENCE`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{}\r\n"
Options = argparse.Namespace


def options() -> Options:
    parser = argparse.ArgumentParser()
    for name in ("root", "model", "version", "predict", "http-port", "grpc-port", "metrics-port", "log"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


class Replica:
    def __init__(self, given: Options) -> None:
        self.given, self.stop, self.in_flight = given, asyncio.Event(), 0
        words = (Path(given.root) / "model.txt").read_text(encoding="utf-8").strip().partition(" ")
        if words[0] == "refuse":
            print("loading", file=sys.stderr)
            print(words[2], file=sys.stderr)
            sys.exit(3)
        self.delay = float(words[2])

    def answer(self, path: str, request_id: str) -> object:
        if path == f"/v2/models/{self.given.model}":
            return {"name": self.given.model, "parameters": {"example": '{"rows": [{"name": "it\'s"}]}'}}
        about = {"version": self.given.version, "pid": os.getpid(), "path": path, "request_id": request_id}
        return {**about, "predict": self.given.predict, "log": self.given.log}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # idle, when the process ends
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not self.stop.is_set():
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                named = (line.partition(":") for line in head[1:])
                headers = {name.lower(): value.strip() for name, _, value in named}
                await reader.readexactly(int(headers.get("content-length", "0")))
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            method, path, _ = head[0].split()
            self.in_flight += 1
            if method == "POST":
                await asyncio.sleep(self.delay)
            body = json.dumps(self.answer(path, headers.get("x-request-id", "")))
            close = "connection: close\r\n" if self.stop.is_set() else ""
            writer.write((HEAD.format(len(body), close) + body).encode())
            await writer.drain()
            self.in_flight -= 1
        writer.close()


async def main() -> None:
    given = options()
    replica = Replica(given)
    for port in (given.http_port, given.grpc_port):
        await asyncio.start_server(replica.serve, "127.0.0.1", int(port))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, replica.stop.set)
    await replica.stop.wait()
    while replica.in_flight:
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main())
