"""A new kind of alarm costs two places: its row in KINDS, and the check that returns the finding."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from mlops_kit.alerts.kinds import ANY_CHECK, KINDS, REGISTRATION, AlarmKind, Finding, judged_by
from mlops_kit.cli.main import group
from mlops_kit.monitoring import check as checks
from mlops_kit.monitoring.checks import trainings
from mlops_kit.monitoring.inputs import Inputs
from mlops_kit.monitoring.result import CheckResult
from pyarrow import parquet

from tests.act.api import Api
from tests.kit.alerts.outcomes import named
from tests.kit.monitoring import log_repository

AT_LEAST = 300  # rows of a window, as the dummy check demands
Kit = Callable[..., str]  # the output of a command, which has to end with this exit code


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """In this process, so that the tables can be extended."""
    monkeypatch.chdir(log_repository.repository(tmp_path / "flights").root)

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(group, words)
        assert done.exit_code == code, (done.output, done.exception)
        return done.stdout

    return run


def rows(n: int) -> str:
    """A window of so many rows."""
    parquet.write_table(pa.table(log_repository.table(3, n)), f"{n}.parquet")
    return f"{n}.parquet"


def short(inputs: Inputs) -> CheckResult:
    n = inputs.window.rows if inputs.window else 0
    findings = [Finding("window-short", f"{n} rows, at least {AT_LEAST}")] if n < AT_LEAST else []
    return CheckResult(None, "alarm" if findings else "fine", findings, judged_by("short"))


def test_a_row_and_a_check_make_an_alarm(kit: Kit, on_github: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "window-short", AlarmKind("The window is short", "short-windows", "short"))
    monkeypatch.setitem(checks.CHECKS, "short", short)
    found: dict[str, Any] = json.loads(kit("monitor", "check", "--json", "--window", rows(200), code=10))
    assert [one["kind"] for one in found["findings"]] == ["window-short"]
    assert "window-short" in found["judged"]
    text = kit("monitor", "check", "--window", rows(200), code=10)
    assert text.endswith("Alarm: The window is short: 200 rows, at least 300\n")
    assert kit("alert", "--dry-run").startswith("window-short: would be raised or updated\n")
    assert "window-short: created" in kit("alert")
    (issue,) = on_github.issues
    assert issue["title"] == "The window is short"
    assert "- 200 rows, at least 300" in issue["body"]
    kit("monitor", "check", "--window", rows(400))
    assert "window-short: closed" in kit("alert")
    assert named(on_github, "closed") == ["The window is short"]


def test_a_row_and_a_finding_of_an_existing_check_make_an_alarm(
    kit: Kit, on_github: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = AlarmKind("The model is new", "the-model-is-old", "trainings")
    monkeypatch.setitem(KINDS, "model-new", row)
    monkeypatch.setattr(trainings, "_old", lambda *_: [Finding("model-new", "it is 0 days old")])
    kit("monitor", "check", code=10)
    assert "model-new: created" in kit("alert")
    assert named(on_github) == ["The model is new"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_judged_by_a_check(kind: str) -> None:
    assert KINDS[kind].judged_by in {*checks.CHECKS, ANY_CHECK, REGISTRATION}


def test_a_kind_without_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of alarm: fire"):
        Finding("fire", "the server room")
