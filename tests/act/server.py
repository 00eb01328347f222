"""Serves an Api on loopback: tokens, faults, rate limits and pages around the routes."""

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.act import routes_issues, routes_repository
from tests.act.api import READ_TOKEN, WRITE_TOKEN, Api, Refused, Request
from tests.act.payloads import REPOSITORY
from tests.act.routes import ROUTES, Call
from tests.loopback import address, listening

ROOT = f"/repos/{REPOSITORY}"
REGISTERED = (routes_issues, routes_repository)  # by their import
PAGE, LARGEST_PAGE = 30, 100


@contextlib.contextmanager
def serving(api: Api) -> Iterator[Api]:
    with listening(_Server(("127.0.0.1", 0), _Handler)) as server:
        server.api = api
        api.url = address(server)
        yield api


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: Api


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "github.com", ""
    disable_nagle_algorithm = True  # or each answer takes 40 ms
    timeout = 30  # of a client that keeps its connection and says no more

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        api = cast(_Server, self.server).api
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length)
        with api.lock:
            status, body, headers = _answer(
                api, self.command, self.path, text, self.headers.get("Authorization", "")
            )
        if not status:
            self.close_connection = True
            return
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer


def _answer(
    api: Api, method: str, target: str, text: bytes, authorization: str
) -> tuple[int, Any, dict[str, str]]:
    path, query = urlsplit(target).path, dict(parse_qsl(urlsplit(target).query))
    body = json.loads(text) if text else {}
    token = authorization.rpartition(" ")[2]
    api.remaining = max(api.remaining - 1, 0)
    more = {
        "X-GitHub-Request-Id": f"{len(api.requests):04}",
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": str(api.remaining),
        "X-RateLimit-Reset": "4102444800",
        "X-RateLimit-Resource": "core",
    }
    try:
        status, found = _carried_out(api, method, path, query, body, token)
        if method == "GET":
            found, link = _page(api.url + path, query, found)
            more |= link
    except Refused as refused:
        status, more = refused.status, more | refused.headers
        found = {
            "message": refused.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(status),
        }
        found |= {"errors": refused.errors} if refused.errors else {}
    api.requests.append(Request(method, unquote(path), query, body, token, status))
    if status == 404 and not any(path_of.fullmatch(_inside(path)) for _, path_of, _ in ROUTES):
        api.unknown.append(api.requests[-1])
    return status, found, more


def _carried_out(
    api: Api, method: str, path: str, query: dict[str, str], body: Any, token: str
) -> tuple[int, Any]:
    fault = api.fault(method, path)
    if fault and not fault.done:
        raise Refused(fault.status, fault.message, **fault.headers)
    _refuse_by_token(api, method, path, token)
    answer = _routed(api, method, path, query, body, may_write=token == WRITE_TOKEN)
    if fault:
        raise Refused(fault.status, fault.message, **fault.headers)
    return answer


def _refuse_by_token(api: Api, method: str, path: str, token: str) -> None:
    if token not in (WRITE_TOKEN, READ_TOKEN):
        raise Refused(401, "Bad credentials" if token else "Requires authentication")
    if path == "/user" or (token == READ_TOKEN and method != "GET"):
        raise Refused(
            403,
            "Resource not accessible by integration",
            X_Accepted_GitHub_Permissions="issues=write; pull_requests=write; contents=write",
        )
    if api.remaining == 0:
        raise Refused(403, "API rate limit exceeded for installation ID 1.")


def _routed(
    api: Api, method: str, path: str, query: dict[str, str], body: Any, *, may_write: bool
) -> tuple[int, Any]:
    if (method, path) == ("GET", "/rate_limit"):
        core = {"limit": 5000, "remaining": api.remaining, "reset": 4102444800, "used": 5000 - api.remaining}
        return 200, {"resources": {"core": core, "search": core}, "rate": core}
    for of, pattern, handler in ROUTES:
        if of == method and (match := pattern.fullmatch(_inside(path))):
            parts = tuple(unquote(part) for part in match.groups())
            return handler(Call(api, query, body, parts, may_write))
    raise Refused(404, "Not Found")


def _inside(path: str) -> str:
    return path.removeprefix(ROOT) if path == ROOT or path.startswith(f"{ROOT}/") else f"//{path}"


def _page(url: str, query: dict[str, str], found: Any) -> tuple[Any, dict[str, str]]:
    """A list, or the one list in a counted answer, is cut; Link tells where the rest is."""
    key = (
        next((key for key, value in found.items() if isinstance(value, list)), "")
        if "total_count" in found
        else ""
    )
    items = found[key] if key else found
    if not isinstance(items, list):
        return found, {}
    size, page = min(int(query.get("per_page", PAGE)), LARGEST_PAGE), int(query.get("page", 1))
    last = max(-(-len(items) // size), 1)
    near = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    wanted = [rel for rel in near if (page > 1 if rel in ("prev", "first") else page < last)]
    links = [f'<{url}?{urlencode(query | {"page": near[rel]})}>; rel="{rel}"' for rel in wanted]
    shown = items[(page - 1) * size : page * size]
    return found | {key: shown} if key else shown, {"Link": ", ".join(links)} if links else {}
