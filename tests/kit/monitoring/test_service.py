"""A service over HTTP that sleeps, leaks or fails raises one alarm each; a healthy one raises none."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.kit.monitoring.log_repository import MLOPS, checked, repository, table
from tests.kit.small_repository import Small

CALLS = 400
SERVICE = Path(__file__).with_name("service.py")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Small:
    one = repository(tmp_path_factory.mktemp("watched") / "flights")
    one.write("mlops.yaml", MLOPS.replace("p95_seconds_at_most: 0.5", "p95_seconds_at_most: 0.04"))
    return one


@contextmanager
def served(log: Path, *fault: str) -> Iterator[HTTPConnection]:
    command = [sys.executable, str(SERVICE), str(log), *fault]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        connection = HTTPConnection("127.0.0.1", int(process.stdout.readline()), timeout=60)
        try:
            yield connection
        finally:
            connection.close()
            process.kill()


def ask(service: HTTPConnection) -> list[int]:
    """The status of each answer."""
    rows, found = table(3, CALLS), []
    for at in range(CALLS):
        inputs = {"x": rows["x"][at], "amount": rows["amount"][at], "side": str(rows["side"][at])}
        service.request("POST", "/", json.dumps({"id": rows["id"][at], "inputs": inputs}))
        answer = service.getresponse()
        answer.read()
        found.append(answer.status)
    return found


@pytest.mark.parametrize(
    ("fault", "kinds", "says"),
    [
        ("", [], ""),
        ("sleeps", ["latency"], "latency p95 is 0."),
        ("leaks", ["memory"], "MB a day and is"),
        ("errs", ["errors"], "80 of 400 predictions failed (20.0%)"),
    ],
)
def test_each_fault_of_a_service_is_its_own_alarm(
    fault: str, kinds: list[str], says: str, watched: Small, tmp_path: Path
) -> None:
    with served(tmp_path / "log.jsonl", *([fault] if fault else [])) as service:
        answers = ask(service)
    assert answers.count(500) == (CALLS // 5 if fault == "errs" else 0)
    done, found = checked(watched, tmp_path / "log.jsonl")
    assert done.code == (10 if kinds else 0), done.said
    assert [alarm["kind"] for alarm in found["findings"]] == kinds
    assert all(says in alarm["what"] for alarm in found["findings"])
    assert found["infrastructure"]["rows"] == CALLS and found["data"]["state"] == "no drift"
