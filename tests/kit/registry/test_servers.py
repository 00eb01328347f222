"""A promotion asks the servers of the model to look at the stage; one that cannot be told changes nothing."""

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from mlops_kit.project import contract as contracts
from mlops_kit.registry import announce, servers
from mlops_kit.runs import events

from tests.kit.small_repository import MLOPS, small
from tests.loopback import address, listening

SERVING = "serving: {{engine: e, replica: r, stage: {stage}, servers: ['{address}']}}\n"


class Told(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.requests: list[tuple[str, str]] = []


class Answer(BaseHTTPRequestHandler):
    server: Told

    def do_POST(self) -> None:
        self.server.requests.append((self.path, self.headers.get("authorization", "")))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def told() -> Iterator[Told]:
    with listening(Told()) as server:
        yield server


def refreshed(*addresses: str) -> list[str]:
    said: list[str] = []
    servers.refresh(addresses, said.append)
    return said


def test_each_server_is_asked_once(told: Told) -> None:
    assert refreshed(address(told), f"{address(told)}/") == [
        f"tell {address(told)}",
        f"tell {address(told)}/",
    ]
    assert told.requests == [("/-/refresh", "")] * 2


def test_a_server_that_is_not_there_is_a_warning(told: Told) -> None:
    gone = "http://127.0.0.1:9"
    said = refreshed(gone, address(told))
    assert said[1].startswith(f"warning: {gone} could not be told (")
    assert "Connection refused). If it runs, it looks at the stage within a minute." in said[1]
    assert len(told.requests) == 1


def test_a_server_that_is_silent_costs_two_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begin = time.monotonic()
        said = refreshed(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert 1.5 < time.monotonic() - begin < 4
    assert "timed out" in said[1]


def test_only_a_promotion_into_the_stage_that_is_served_tells(told: Told, tmp_path: Path) -> None:
    for stage, count in (("production", 1), ("staging", 0)):
        told.requests.clear()
        settings = SERVING.format(stage=stage, address=address(told))
        one = small(tmp_path / stage, **{"mlops.yaml": MLOPS + settings})
        contract = contracts.load(one.root)
        assert announce.listens(contract, "after_promote")
        assert not announce.listens(contract, "after_register")
        journal = events.alone(one.repository)
        about = {"version": "v0.1.0", "stage": "production"}
        failed = announce.announce(
            contract, one.repository, "after_promote", journal, lambda _: None, **about
        )
        assert (failed, len(told.requests)) == ([], count)
