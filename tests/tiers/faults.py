"""A server in front of another, which fails after so many writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.loopback import address, listening

READS = ("search", "get")  # paths of questions that are asked by POST
HOP = {"transfer-encoding", "connection", "content-length", "content-encoding", "host", "accept-encoding"}


class Failing:
    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.after = 0
        self.writes = 0
        self.failed = False
        self.url = ""

    def lets_through(self, method: str, path: str) -> bool:
        if method != "GET" and not path.partition("?")[0].rpartition("/")[2].startswith(READS):
            self.writes += 1
        self.failed |= self.writes > self.after
        return self.writes <= self.after

    @contextmanager
    def running(self) -> Iterator["Failing"]:
        with listening(ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))) as server:
            self.url = address(server)
            yield self


def _handler(failing: Failing) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not failing.lets_through(self.command, self.path):
                self._answer(500, {}, b"the disk is full")
                return
            kept = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            request = Request(failing.behind + self.path, body or None, kept, method=self.command)
            try:
                with urlopen(request, timeout=120) as answer:
                    self._answer(answer.status, dict(answer.headers), answer.read())
            except HTTPError as error:
                self._answer(error.code, dict(error.headers), error.read())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _forward  # http.server's names

        def _answer(self, code: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(code)
            for name, value in headers.items():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # http.server's name
            """Nothing: pytest shows enough."""

    return Handler
