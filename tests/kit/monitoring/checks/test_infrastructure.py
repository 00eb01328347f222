"""A memory leak, a full disk and traffic that stops raise one alarm each; a clean predictions log raises none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.base import clock
from mlops_kit.monitoring.checks import infrastructure, traffic, trend
from mlops_kit.monitoring.checks.infrastructure import Infrastructure
from mlops_kit.predictions_log import counts as log_counts
from mlops_kit.predictions_log.counts import minutes
from mlops_kit.predictions_log.lines import WHEN
from mlops_kit.predictions_log.window import Window
from mlops_kit.project.sections import Monitoring
from mlops_kit.statistics import growth
from mlops_kit.statistics.chance import at_most

from tests.kit.monitoring.log_repository import moments

HOUR, DAY, ODDS, LOGS = 3600.0, 86_400.0, 0.00025, 1000
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC).timestamp()
MEMORY = {
    "noise": lambda draw, t: 500 + draw.normal(size=len(t)) * 10,
    "collected": lambda draw, t: 500 + 80 * (t / 700 % 1) + draw.normal(size=len(t)),
    "warm-up": lambda draw, t: 800 - 300 * np.exp(-5 * t / t[-1]) + draw.normal(size=len(t)),
    "daily": lambda draw, t: 500 + 20 * np.sin(t / DAY * 2 * np.pi) + draw.normal(size=len(t)) * 5,
    "one step": lambda draw, t: 500 + 100 * (t > t[-1] * 0.2) + draw.normal(size=len(t)) * 5,
}


def window(facts: dict[str, Any], since: datetime | None = None) -> Window:
    """Of a log with these columns."""
    table = pa.table(facts)
    return Window("log", facts=table, tally=log_counts.of(table, since), since=since)


def readings(seed: int, days: float = 3) -> tuple[Any, Any]:
    draw = np.random.default_rng(seed)
    return draw, np.sort(draw.uniform(0, days * DAY, 600))


@pytest.mark.parametrize("kind", MEMORY)
def test_memory_that_does_not_leak_is_no_alarm(kind: str) -> None:
    alarms = 0
    for seed in range(LOGS):
        draw, t = readings(seed)
        alarms += growth.a_day(t, MEMORY[kind](draw, t), ODDS) > 0.1 * 500
    assert alarms <= 1


@pytest.mark.parametrize("kind", MEMORY)
def test_a_leak_is_found_with_its_pace(kind: str) -> None:
    """100 MB a day in what has 500 to 800, in three days."""
    found = []
    for seed in range(50):
        draw, t = readings(seed)
        found.append(growth.a_day(t, MEMORY[kind](draw, t) + 100 * t / DAY, ODDS))
    assert np.mean(np.array(found) > 0) >= 0.95
    assert np.median(found) == pytest.approx(100, rel=0.25)


def test_few_readings_say_nothing() -> None:
    t = np.arange(60.0) * 60
    assert growth.a_day(t, 100 + t, ODDS) == 0


def test_a_leak_of_each_call_is_found_where_fewer_and_fewer_calls_come() -> None:
    t, calls = np.cumsum(np.geomspace(1, 30, 1200)), np.arange(1200.0)  # seconds between two calls grow
    assert growth.a_day(t, 500 + 0.1 * calls, ODDS) > 0
    assert growth.a_day(t, 800 - 300 * np.exp(-calls / 150), ODDS) == 0


def test_what_was_not_measured_is_not_judged() -> None:
    """An alarm ends by readings that are as usual, not by there being none."""
    assert infrastructure.result(Infrastructure("not connected")).judged == []
    assert infrastructure.result(Infrastructure("fine", 1, age_hours=30.0)).judged == ["clock"]
    seen = Infrastructure("fine", 20, p95_seconds=0.1, age_hours=1.0, memory_mb=100.0, disk_free_share=0.5)
    assert set(infrastructure.result(seen).judged) == {
        "errors",
        "latency",
        "memory",
        "disk",
        "silence",
        "clock",
    }


def visits(seed: int, weeks: float, an_hour: float = 20) -> Any:
    """More by day than at night, less at the weekend, and no two days alike."""
    draw, hours = np.random.default_rng(seed), int(weeks * 168)
    start = NOW - hours * HOUR
    at = start + np.arange(hours) * HOUR
    by_day = 1 + 0.8 * np.sin(at / DAY * 2 * np.pi)
    weekend = np.where((at // DAY + 3) % 7 >= 5, 0.2, 1.0)
    days = np.exp(0.25 * draw.normal(size=hours // 24 + 2))[np.arange(hours) // 24]
    counts = draw.poisson(an_hour * by_day * weekend * days)
    return np.sort(np.repeat(at, counts) + draw.uniform(0, HOUR, counts.sum()))


@pytest.mark.parametrize("an_hour", [0.2, 2, 20])
def test_traffic_that_comes_and_goes_is_no_alarm(an_hour: float) -> None:
    alarms = [traffic.drop(minutes(visits(seed, 4, an_hour)), NOW, ODDS) for seed in range(LOGS)]
    assert sum(one is not None for one in alarms) <= 1


@pytest.mark.parametrize(("left", "least"), [(0.0, 1.0), (0.1, 0.9)])
def test_traffic_that_stops_or_falls_to_a_tenth_is_found(left: float, least: float) -> None:
    found = []
    for seed in range(50):
        times, draw = visits(seed, 4), np.random.default_rng(seed)
        kept = times[(times < NOW - 30 * HOUR) | (draw.random(len(times)) < left)]
        found.append(traffic.drop(minutes(kept), NOW, ODDS))
    assert np.mean([one is not None for one in found]) >= least
    assert all(one.rows < min(one.before) / 3 for one in found if one)


OFFICE = (7, 18)


def at_the_office(times: Any) -> Any:
    """Nights and weekends are silent."""
    hours, weekdays = times % DAY / HOUR, (times // DAY + 3) % 7
    return times[(weekdays < 5) & (hours > OFFICE[0]) & (hours < OFFICE[1])]


@pytest.mark.parametrize("an_hour", [0.5, 20])
@pytest.mark.parametrize("kept", [lambda times: times, at_the_office])
def test_a_young_log_is_not_silent_at_the_weekend(an_hour: float, kept: Any) -> None:
    logs = [kept(visits(seed, 1.5, an_hour)) for seed in range(100)]
    seen = [(log[log <= now], now) for log in logs for now in np.arange(log[0] + DAY, NOW, DAY)]
    assert not any(traffic.pause(minutes(times), now) for times, now in seen)


def test_in_a_part_without_readings_nothing_is_drawn_and_of_traffic_none() -> None:
    times = np.array([0.0, 1.0, 11 * HOUR, 12 * HOUR, np.nan])
    found = trend.over(times, "rows", len)
    assert found and [points for _, points in found.points] == [2, 2]
    silent = trend.over(times, "rows", len, until=24 * HOUR)
    assert silent and [points for _, points in silent.points] == [2, 0, 0, 1, 1, 0, 0, 0]
    assert silent.points[1][0] == "01 03.00"
    assert trend.over(times[:2], "rows", len) is None
    for span in (60, 3600, DAY * 7, DAY * 100):
        parts = trend.over(np.linspace(0, span, 100), "rows", len)
        assert parts and len({name for name, _ in parts.points}) == 8  # one name twice would be one place


@pytest.mark.parametrize(("weeks", "found_after"), [(0.5, 96), (1.1, 24)])
def test_a_young_log_that_ends_is_found(
    weeks: float, found_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = visits(3, weeks)
    facts = {"time": moments(datetime.fromtimestamp(at, UTC).isoformat() for at in times)}
    facts |= {name: pa.nulls(len(times), pa.string()) for name in ("no_time", "error")}
    since = datetime.fromtimestamp(times[-1], UTC) - timedelta(days=7)
    assert traffic.pause(minutes(times), times[-1] + (found_after - 1) * HOUR) is None
    assert traffic.pause(minutes(times), times[-1] + (found_after + 1) * HOUR)
    monkeypatch.setenv(clock.VARIABLE, datetime.fromtimestamp(times[-1] + 100 * HOUR, UTC).isoformat())
    (found,) = infrastructure.measure(window(facts, since), Monitoring()).alarms
    assert found.what.startswith("no prediction for 100 hours; the longest pause before was ")


def test_a_log_of_few_days_knows_no_week_before() -> None:
    assert traffic.drop(minutes(visits(1, 0.5)[:-1000]), NOW, ODDS) is None
    assert traffic.drop(minutes(np.array([NOW - DAY])), NOW, ODDS) is None


def test_a_log_that_was_kept_is_judged_as_of_its_end() -> None:
    """And the one of what runs goes on being silent, for longer than it lasted too."""
    times = [datetime.fromtimestamp(at - 400 * DAY, UTC).isoformat() for at in visits(1, 4)]
    nothing = pa.nulls(len(times), pa.string())
    facts = {"time": moments(times), "no_time": nothing, "error": nothing}
    limits = Monitoring(silent_hours_at_most=None)
    assert infrastructure.measure(window(facts), limits).alarms == []
    since = datetime.fromisoformat(times[-1]) - timedelta(days=7)
    assert [one.kind for one in infrastructure.measure(window(facts, since), limits).alarms] == ["silence"]


def test_the_tail_of_a_poisson() -> None:
    assert at_most(2, 3) == pytest.approx(np.exp(-3) * (1 + 3 + 4.5))
    assert at_most(0, 0) == 1


def checked(**columns: Any) -> Infrastructure:
    n = 800
    since = datetime.now(UTC).timestamp() - DAY
    times = [datetime.fromtimestamp(since + at / n * DAY, UTC).isoformat() for at in range(n)]
    facts = {
        "time": moments(times),
        "no_time": pa.nulls(n, pa.string()),
        "error": pa.nulls(n, pa.string()),
        "process": pa.array(["a", "b"] * (n // 2)),
        "seconds": pa.array(np.random.default_rng(0).exponential(0.1, n)),
        "memory_mb": pa.array(500 + np.random.default_rng(1).normal(size=n)),
        "disk_free_share": pa.array(np.linspace(0.5, 0.4, n)),
    }
    limits = Monitoring(p95_seconds_at_most=0.5, silent_hours_at_most=24)
    return infrastructure.measure(window(facts | columns), limits)


def test_a_clean_log_is_fine_and_says_what_it_holds() -> None:
    found = checked()
    assert (found.state, found.alarms) == ("fine", [])
    assert found.disk_free_share == pytest.approx(0.4)
    assert found.memory_mb == pytest.approx(500, abs=5)


def test_one_process_of_two_leaks() -> None:
    leaking = 500 + np.where(np.arange(800) % 2, np.arange(800) / 4, 0)
    (found,) = checked(memory_mb=pa.array(leaking)).alarms
    assert found.kind == "memory"
    assert found.what.startswith("the memory of process b grows by 2")


def test_a_process_that_starts_again_and_again_does_not_leak() -> None:
    """Each warms up; the log as a whole rises and falls."""
    processes = [f"p{at // 20}" for at in range(800)]
    assert not checked(process=pa.array(processes), memory_mb=pa.array(400.0 + np.arange(800) % 20)).alarms


def test_a_disk_that_fills_is_one_alarm() -> None:
    (found,) = checked(disk_free_share=pa.array(np.linspace(0.2, 0.03, 800))).alarms
    assert (found.kind, found.what) == ("disk", "3.0% of the disk is free; the limit is 5.0%")


def test_a_log_without_them_is_not_watched_for_them() -> None:
    nothing = pa.nulls(800, pa.float64())
    found = checked(memory_mb=nothing, disk_free_share=nothing)
    assert (found.state, found.memory_mb, found.disk_free_share) == ("fine", None, None)


@pytest.mark.parametrize("hours", [50, 50_000])
def test_a_time_to_come_hides_nothing(hours: float) -> None:
    """Its own alarm, beside that of a log that has ended."""
    ended = datetime.now(UTC) - timedelta(days=3)
    times = [(ended + timedelta(minutes=at)).isoformat() for at in range(799)]
    wrong = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    found = checked(time=moments([*times, wrong]))
    assert [one.kind for one in found.alarms] == ["clock", "silence"]
    assert found.alarms[0].what.startswith(f"1 predictions are up to {hours}.0 hours in the future")
    assert found.newest == times[-1]


def test_times_that_cannot_be_read_are_an_alarm() -> None:
    nothing, texts = pa.nulls(800, WHEN), pa.array([str(1_795_000_000 + at) for at in range(800)])
    (found,) = checked(time=nothing, no_time=texts).alarms
    assert found.kind == "clock"
    assert found.what.startswith(
        "800 of 800 predictions have a time that is not ISO 8601, such as '1795000000'"
    )
    assert checked(time=nothing).alarms == []  # what is missing is not watched
