"""The table of checks: each is a pure function of inputs that were read before."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.base import clock, documents
from mlops_kit.monitoring import check as checks
from mlops_kit.monitoring.inputs import Inputs
from mlops_kit.monitoring.reference import make
from mlops_kit.monitoring.training_facts import NewTrainingData, TrainingFacts
from mlops_kit.predictions_log import window as windows
from mlops_kit.project import contract

from tests.kit.monitoring import log_repository
from tests.kit.monitoring.distributions import columns, reference, window
from tests.kit.small_repository import MLOPS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SETTINGS = contract.whole(documents.parse_yaml(MLOPS, "mlops.yaml"), {})


def test_nothing_connected_is_no_alarm_and_closes_none() -> None:
    results = checks.run(Inputs(NOW, SETTINGS, ()))
    assert {name: one.state for name, one in results.items()} == dict.fromkeys(checks.CHECKS, "not connected")
    assert [(one.findings, one.judged) for one in results.values()] == [([], [])] * len(results)


@pytest.fixture
def connected(tmp_path: Path) -> Inputs:
    """A window of which one column moved, with a slow log without labels, trainings and new training data."""
    log_repository.log(tmp_path / "log.jsonl", log_repository.table(3, 300))
    log = windows.read(str(tmp_path / "log.jsonl"), 1000, [])
    rows = columns(np.random.default_rng(2), 500)
    rows["normal"] = rows["normal"] + 1
    made, like = window(rows), reference(1)
    made.facts, made.tally = log.facts, log.tally
    evaluated = log_repository.table(2, 1000)
    shares = log_repository.probability(evaluated)
    like.predictions = pa.table(
        {"actual": evaluated["late"], "prediction": shares > 0.5, "probability": shares}
    )
    text = log_repository.MLOPS.replace("monitoring: {", "monitoring: {time: when, ")
    text = text.replace("p95_seconds_at_most: 0.5", "p95_seconds_at_most: 0.05")
    settings = contract.whole(documents.parse_yaml(text, "mlops.yaml"), {})
    trainings, moved = TrainingFacts(None, None), NewTrainingData("v0.2.0", "v0.1.0", None, like, made)
    return Inputs(
        NOW, settings, (), like, made, made, log.facts, None, trainings=trainings, training_data=moved
    )


FOUND = {  # in the inputs that are connected
    "data_drift": {"data-drift"},
    "concept_drift": set(),
    "infrastructure": {"latency"},
    "trainings": set(),
    "training_data": {"training-data"},
}


@pytest.mark.parametrize("check", checks.CHECKS)
def test_a_check_needs_nothing_but_its_inputs(
    check: str, connected: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No repository, no clock, no network; and the same inputs give the same result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(clock.VARIABLE, "no moment")  # whoever asks for the time gets an error
    first, second = (checks.CHECKS[check](replace(connected)) for _ in range(2))
    assert first == second
    assert {one.kind for one in first.findings} == FOUND[check]


def test_the_result_names_the_version_and_keeps_the_order_of_the_table() -> None:
    made = columns(np.random.default_rng(2), 500)
    inputs = Inputs(NOW, SETTINGS, (), make(window(made), version="v0.3.0"), window(made))
    results = checks.run(inputs)
    assert list(results) == list(checks.CHECKS)
    checked = checks.checked(inputs, results)
    assert (checked.at, checked.version) == ("2026-11-24T12:00:00.000Z", "v0.3.0")
    assert checked.judged == [kind for one in results.values() for kind in one.judged]
