"""A chat's webhook on loopback that keeps what it is told, and fails as often as it is asked to."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.loopback import address, listening


@dataclass
class Chat:
    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    failures: int = 0  # of the next requests
    status: int = 503
    retry_after: str = ""  # seconds, as a failure says


@contextlib.contextmanager
def chatting() -> Iterator[Chat]:
    chat = Chat()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            chat.asked += 1
            fails = chat.failures > 0
            chat.failures -= fails
            self.send_response(chat.status if fails else 200)
            if fails and chat.retry_after:
                self.send_header("Retry-After", chat.retry_after)
            self.end_headers()
            if not fails:
                chat.heard.append(json.loads(text))

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        chat.url = f"{address(server)}/services/very-secret-path"
        yield chat
