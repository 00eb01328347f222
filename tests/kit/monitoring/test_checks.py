"""The table of checks: each is a pure function of inputs that were read before."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from mlops_kit.base import documents
from mlops_kit.monitoring import check as checks
from mlops_kit.monitoring.inputs import Inputs
from mlops_kit.monitoring.reference import make
from mlops_kit.project import contract

from tests.kit.monitoring.distributions import columns, reference, window
from tests.kit.small_repository import MLOPS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SETTINGS = contract.whole(documents.parse_yaml(MLOPS, "mlops.yaml"), {})


def test_nothing_connected_is_no_alarm_and_closes_none() -> None:
    results = checks.run(Inputs(NOW, SETTINGS, ()))
    assert {name: one.state for name, one in results.items()} == dict.fromkeys(checks.CHECKS, "not connected")
    assert [(one.findings, one.judged) for one in results.values()] == [([], [])] * len(results)


@pytest.mark.parametrize("check", checks.CHECKS)
def test_a_check_needs_nothing_but_its_inputs(
    check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No repository, no clock, no network; and the same inputs give the same result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    made = columns(np.random.default_rng(2), 500)
    made["normal"] = made["normal"] + 1

    def inputs() -> Inputs:
        return Inputs(NOW, SETTINGS, (), reference(1), window(made))

    first, second = (checks.CHECKS[check](inputs()) for _ in range(2))
    assert first == second
    assert [one.column for one in first.findings] == (["normal"] if check == "data_drift" else [])


def test_the_result_names_the_version_and_keeps_the_order_of_the_table() -> None:
    made = columns(np.random.default_rng(2), 500)
    inputs = Inputs(NOW, SETTINGS, (), make(window(made), version="v0.3.0"), window(made))
    results = checks.run(inputs)
    assert list(results) == list(checks.CHECKS)
    checked = checks.checked(inputs, results)
    assert (checked.at, checked.version) == ("2026-11-24T12:00:00.000Z", "v0.3.0")
    assert checked.judged == [kind for one in results.values() for kind in one.judged]
