"""Like is compared with like, where the reference holds it."""

from typing import Any

import numpy as np
import pyarrow.compute as pc
from mlops_kit.monitoring.checks import data_drift
from mlops_kit.monitoring.reference import Reference, make

from tests.kit.monitoring.distributions import window

HOUR = np.timedelta64(3600, "s")


def year(seed: int, start: str, hours: int) -> dict[str, Any]:
    """Warm in summer, and twice as much traffic at the weekend."""
    t = np.datetime64(f"{start}T00:00:00") + np.arange(hours) * HOUR
    month = t.astype("datetime64[M]").astype(int) % 12
    weekend = (t.astype("datetime64[D]").astype(int) + 3) % 7 >= 5
    draw = np.random.default_rng(seed)
    warm = 10 - 10 * np.cos(month / 6 * np.pi) + draw.normal(size=hours)
    return {"t": t, "warm": warm, "traffic": draw.exponential(size=hours) * (1 + weekend)}


def like(start: str, hours: int) -> Reference:
    return make(window(year(0, start, hours)), time="t", left_out=("t",))


def test_a_month_is_compared_with_that_month_of_other_years() -> None:
    july = year(1, "2026-07-01", 31 * 24)
    reference = like("2024-01-01", 2 * 366 * 24)
    found = data_drift.compare(reference, window(july), time="t", ignored=())
    assert found.notes == ["compared with the reference's rows of month 7"]
    assert not found.alarms
    july["warm"] = july["warm"] + 2
    assert [
        one.column for one in data_drift.compare(reference, window(july), time="t", ignored=()).drifts
    ] == ["warm"]


def test_a_sunday_is_compared_with_sundays() -> None:
    reference = like("2026-03-02", 31 * 7 * 24)
    sunday = year(2, "2026-06-07", 24)
    found = data_drift.compare(reference, window(sunday), time="t", ignored=())
    assert found.notes == ["compared with the reference's rows of weekday 7 (1 is Monday)"]
    assert not found.alarms


def test_a_season_that_the_reference_lacks_is_said() -> None:
    reference = like("2026-01-01", 80 * 24)
    found = data_drift.compare(reference, window(year(3, "2026-07-01", 300)), time="t", ignored=())
    assert found.notes == ["the reference has no row of month 7: what moved may be the season"]
    assert [one.column for one in found.drifts] == ["warm"]


def test_a_window_without_times_says_so() -> None:
    made = year(4, "2026-01-03", 300)
    del made["t"]
    found = data_drift.compare(like("2026-01-01", 80 * 24), window(made), time="t", ignored=())
    assert "seasons are not told from drift" in found.notes[0]


def test_times_to_come_and_zones_are_said() -> None:
    reference = like("2024-01-01", 366 * 24)
    future = data_drift.compare(reference, window(year(1, "2124-07-01", 31 * 24)), time="t", ignored=())
    assert future.notes == [
        "744 of 744 rows are later than now, by 't'",
        "compared with the reference's rows of month 7",
    ]
    there = window(year(1, "2024-07-02", 24))
    there.drawn["t"] = pc.assume_timezone(there.drawn["t"], "America/New_York")
    zoned = data_drift.compare(reference, there, time="t", ignored=())
    assert (
        zoned.notes[0]
        == "'t' is in the zone America/New_York and is compared in UTC, as times without a zone are"
    )
