"""How a request to the stub finds its answer."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.act.api import Api, Refused, now

Answer = tuple[int, Any]
LONGEST_TEXT = 65536


@dataclass(frozen=True)
class Call:
    api: Api
    query: dict[str, str]
    body: dict[str, Any]
    parts: tuple[str, ...]  # what the route's groups matched
    may_write: bool

    @property
    def number(self) -> int:
        return int(self.parts[0])


Handler = Callable[[Call], Answer]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """`path` after /repos/OWNER/NAME; N stands for a number, X for a name."""
    pattern = re.compile(re.sub("[NX]", lambda m: {"N": r"(\d+)", "X": r"([^/]+)"}[m[0]], path))

    def add(handler: Handler) -> Handler:
        ROUTES.append((method, pattern, handler))
        return handler

    return add


def invalid(resource: str, field: str, code: str = "missing_field", message: str = "") -> Refused:
    error = {"resource": resource, "field": field, "code": code}
    return Refused(422, "Validation Failed", error | ({"message": message} if message else {}))


def needs(call: Call, resource: str, *fields: str) -> None:
    for field in fields:
        if not call.body.get(field):
            raise invalid(resource, field)


def short_enough(call: Call, resource: str) -> None:
    if len(str(call.body.get("body") or "")) > LONGEST_TEXT:
        raise invalid(resource, "body", "custom", f"body is too long (maximum is {LONGEST_TEXT} characters)")


def touched(issue: dict[str, Any]) -> dict[str, Any]:
    issue["updated_at"] = now()
    issue["closed_at"] = None if issue["state"] == "open" else issue["closed_at"] or now()
    return issue
