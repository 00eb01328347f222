"""Which windows end an alarm: those that could have shown what it is about."""

from pathlib import Path

import numpy as np
import pytest
from mlops_kit.monitoring.checks import data_drift
from mlops_kit.monitoring.checks.schema import Change, Kind
from mlops_kit.monitoring.reference import Reference

from tests.kit.monitoring.distributions import columns, reference, window
from tests.kit.monitoring.log_repository import checked, log, repository, table


@pytest.fixture(scope="module")
def like() -> Reference:
    return reference(1)


COLUMN = {
    "missing column": "normal",
    "new column": "other",
    "retyped": "normal",
    "all null": "normal",
    "constant": "normal",
    "new category": "level",
}


@pytest.mark.parametrize(
    ("kind", "by", "n", "over"),
    [
        ("new category", 0.005, 999, False),
        ("new category", 0.005, 1000, True),  # as large as the one that showed it by five rows
        ("missing column", 1.0, 1, True),
        ("new column", 1.0, 1, True),
        ("retyped", 1.0, 1, True),
        ("all null", 1.0, 1, True),
        ("constant", 1.0, 1, False),
        ("constant", 1.0, 2, True),
        ("new category", 0.3, 8, False),  # one such row would be no alarm
        ("new category", 0.3, 50, True),
        ("new category", 0.02, 50, False),  # a third of such windows hold none
        ("new category", 0.02, 1000, True),
    ],
)
def test_an_alarm_of_the_schema_ends_by_what_would_show_it(
    kind: Kind, by: float, n: int, over: bool, like: Reference
) -> None:
    raised = Change(COLUMN[kind], kind, "", by, 1000)
    now = window(columns(np.random.default_rng(2), n))
    found = data_drift.compare(like, now, time=None, ignored=(), raised=(raised,))
    assert found.changes == []
    assert found.tells_schema == over


def test_another_type_shows_in_a_single_row(like: Reference) -> None:
    made = columns(np.random.default_rng(2), 1) | {"normal": ["a"]}
    (found,) = data_drift.compare(like, window(made), time=None, ignored=()).changes
    assert (found.column, found.kind) == ("normal", "retyped")


def test_a_window_that_could_not_show_it_ends_no_alarm(tmp_path: Path) -> None:
    """Twelve rows show that a column is back, and nothing of where columns lie."""
    made, path = repository(tmp_path / "flights"), tmp_path / "log.jsonl"

    def judged() -> list[str]:
        found = checked(made, path)[1]
        return [one for one in found["judged"] if one in ("data-drift", "schema", "predictions-moved")]

    log(path, table(7, 12))
    assert judged() == []
    log(path, table(7, 300))
    path.write_text(path.read_text().replace('"amount"', '"Amount"'))
    assert {one["kind"] for one in checked(made, path)[1]["findings"]} == {"schema"}
    log(path, table(7, 12))
    assert judged() == ["schema"]
    log(path, table(7, 300))
    assert judged() == ["data-drift", "schema", "predictions-moved"]
