"""The flights of April to December through the schedule: `pytest tests/act/nine_months.py -s`, about four minutes.

Not among the tests that run on every change, because test_monitor.py sees each kind of step once.
"""

from pathlib import Path

from mlops_kit.monitoring import demo
from mlops_kit.project import contract

from tests.act.forge import Forge
from tests.act.test_monitor import issues, scheduled, watched

__all__ = ["watched"]  # a fixture


def test_nine_months(watched: tuple[Forge, Path]) -> None:
    forge, served = watched
    means = contract.load(forge.work)
    for month, batch in demo.batches().items():
        demo.serve(forge.work, means, batch, served)
        scheduled(forge, f"{2013 + month // 12}-{month % 12 + 1:02}-01T05:23:00Z")
        titles = [one["title"] for one in forge.api.issues if one["state"] == "open"]
        print(f"2013-{month:02}", titles)
        assert ("Concept drift: the model is less accurate" in titles) == (month != 5)
    assert issues(forge.api)[:2] == ["Concept drift", "Data drift"]
    assert len(issues(forge.api)) == 3  # and a change of the columns
    assert issues(forge.api, "closed") == []
    assert [one["event_type"] for one in forge.api.dispatches] == ["drift-detected"] * 8
