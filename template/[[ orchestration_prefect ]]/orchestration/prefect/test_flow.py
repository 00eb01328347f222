"""What the flow makes of the kit's answers, on a Prefect server of its own."""

import time
from collections.abc import Iterator
from typing import Any

import kit
import pytest
from conftest import Scripted
from flow import train
from prefect import State
from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness

STAGES = ["watch-data", "validate", "train", "gate", "report", "register", "runs"]


@pytest.fixture(scope="module", autouse=True)
def _server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=300):
        yield


@pytest.fixture(autouse=True)
def _elsewhere(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit, "ROOT", scripted.root)  # nothing happens to this repository


def run(*retry_after: float) -> State[Any]:
    return train(retry_after, return_state=True)


def test_the_stages_are_those_of_the_workflow(scripted: Scripted) -> None:
    state = run()
    assert (state.name, state.is_completed()) == ("Completed", True)
    assert scripted.commands == [*STAGES, "alarm"]
    assert scripted.calls[-1][1:3] == ["prefect", "--clear"]
    with get_client(sync_client=True) as client:
        (report, *_) = client.read_artifacts()
    assert "report: registered" in str(report.data)


def test_closed_gates_are_a_result(scripted: Scripted) -> None:
    scripted.answers(gate=[10], register=[10])
    state = run(0)
    assert (state.name, state.is_completed()) == ("Gates closed", True)
    assert scripted.commands == [*STAGES, "alarm"]


def test_refused_data_is_not_tried_again_and_raises_the_alarm(scripted: Scripted) -> None:
    scripted.answers(validate=[10])
    state = run(0)
    assert state.is_failed()
    assert "The data is refused, nothing was trained." in str(state.message)
    assert scripted.commands == ["watch-data", "validate", "alarm"]
    assert "--title" in scripted.calls[-1]


def test_a_crash_is_tried_again(scripted: Scripted) -> None:
    scripted.answers(train=[1, 3])
    assert run(0, 0).is_completed()
    assert scripted.commands.count("train") == 3


def test_it_gives_up_with_one_alarm(scripted: Scripted) -> None:
    scripted.answers(train=[1, 1])
    assert run(0).is_failed()
    assert scripted.commands == ["watch-data", "validate", "train", "train", "alarm"]
    assert "`mlops-kit train` ended with 1" in scripted.calls[-1][-1]


def test_a_command_that_is_late_is_ended(scripted: Scripted) -> None:
    (scripted.root / "kit.py").write_text("import time; time.sleep(60)")
    begin = time.monotonic()
    with pytest.raises(kit.CommandFailed, match="`mlops-kit train` ended with -15"):
        kit.Run("late", "test", print).kit("train", minutes=0.02)
    assert time.monotonic() - begin < 30
