"""A planted shift is named with its size; columns that did not move stay silent; a changed schema is no drift."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from mlops_kit.monitoring import terminal_text
from mlops_kit.monitoring.checks import data_drift
from mlops_kit.monitoring.checks.data_drift import DataDrift
from mlops_kit.monitoring.reference import Reference, make
from mlops_kit.predictions_log.counts import Tally
from mlops_kit.predictions_log.window import Window
from mlops_kit.statistics import resampling as resampling_method

from tests.kit.monitoring.distributions import Change, columns, reference, window

REFERENCES, WINDOWS = 8, 100


@pytest.fixture(scope="module")
def like() -> Reference:
    made = reference(1)
    made.limits = made.resampling.limits_by_size((50, 200, 1000))
    return made


def test_sizes_share_their_references_and_have_the_thresholds_of_each_alone(like: Reference) -> None:
    assert like.limits[200] == like.resampling.limits(200)
    assert like.limits[1000] == like.resampling.limits(1000)


def checked(like: Reference, n: int, change: Change | None = None, seed: int = 2) -> DataDrift:
    made = columns(np.random.default_rng(seed), n)
    if change:
        change(made)
    return data_drift.compare(like, window(made), time=None, ignored=())


def moved(name: str, by: Any) -> Change:
    def change(made: dict[str, Any]) -> None:
        made[name] = by(made[name])

    return change


def test_clean_windows_stay_silent() -> None:
    """The 99 % lower bound of the false-alarm rate, over many references, is not above one in a hundred."""
    alarms = []
    for seed in range(REFERENCES):
        like = reference(100 + seed)
        like.limits = {200: like.resampling.limits(200)}
        draws = (columns(np.random.default_rng([seed, at]), 200) for at in range(WINDOWS))
        alarms.append(
            sum(data_drift.compare(like, window(one), time=None, ignored=()).alarms for one in draws)
        )
    n, k = REFERENCES * WINDOWS, sum(alarms)
    assert k / n - 2.33 * math.sqrt(0.01 * 0.99 / n) <= 0.01, alarms
    assert max(alarms) <= 3, alarms


@pytest.mark.parametrize(
    ("name", "by", "words"),
    [
        ("normal", lambda x: x + 0.6, "sd"),
        ("normal", lambda x: x * 2, "median"),
        ("heavy", lambda x: x + 1, "sd"),
        ("count", lambda x: x + 1, "median 3 -> 4"),
        ("flag", lambda x: x | (np.arange(len(x)) % 4 == 0), "%"),
        ("level", lambda x: np.where(np.arange(len(x)) % 5 == 0, "h", x), "h 0."),
        ("holes", lambda x: np.where(np.arange(len(x)) % 3 == 0, np.nan, x), "missing"),
        ("when", lambda x: x.astype("datetime64[D]") + (x - x.astype("datetime64[D]")) // 2, "hour median"),
        ("text", lambda x: [one + "padding" for one in x], "length median"),
    ],
)
def test_a_planted_shift_is_named(like: Reference, name: str, by: Any, words: str) -> None:
    found = checked(like, 1000, moved(name, by))
    assert found.state == "drift"
    assert [(one.column, one.n) for one in found.drifts] == [(name, 1000)]
    assert words in found.drifts[0].what
    assert found.drifts[0].by > 0.03
    assert not found.changes


def test_the_size_of_a_shift_is_near_what_was_planted(like: Reference) -> None:
    (found,) = checked(like, 1000, moved("normal", lambda x: x + 0.5)).drifts
    assert found.shift == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize(
    ("name", "share", "n", "least"), [("flag", 0.15, 200, 0.12), ("level", 0.05, 50, 0.3)]
)
def test_a_share_that_grows_by_five_points_is_found(
    like: Reference, name: str, share: float, n: int, least: float
) -> None:
    """As often as by a test of that column alone, or near it, though seven others are watched too."""
    draw = np.random.default_rng(5)

    def grown(made: dict[str, Any]) -> None:
        hit = draw.random(n) < share
        made[name] = hit if name == "flag" else np.where(hit, "h", made[name])

    found = sum(bool(checked(like, n, grown, seed).drifts) for seed in range(300))
    assert found / 300 >= least


def test_silence_says_what_it_could_have_seen(like: Reference) -> None:
    small, large = checked(like, 200), checked(like, 1000)
    assert (small.state, large.state) == ("no drift", "no drift")
    assert small.visible["normal"] and large.visible["normal"]
    assert small.visible["normal"] > large.visible["normal"]


def test_what_is_called_visible_is_seen_in_four_of_five_windows(like: Reference) -> None:
    size = like.limits[200].visible[0]
    shift = moved("normal", lambda x: x + size)
    seen = sum(bool(checked(like, 200, shift, seed).drifts) for seed in range(60))
    assert seen >= 0.8 * 60 - 2 * math.sqrt(60 * 0.16)


@pytest.mark.parametrize("n", [0, 5, 7, 15])
def test_a_small_window_cannot_tell(like: Reference, n: int) -> None:
    found = checked(like, n)
    assert found.state == "can't tell"
    assert not found.alarms
    assert (f"{n} rows are too few: it takes 8" in found.notes) == (n < 8)
    if n < 8:
        assert found.visible == dict.fromkeys(one.name for one in like.bins)
        assert terminal_text.shows(found.visible) == "no change that was tried, in any column"
    if n == 15:  # the smallest of them is said
        assert min(size for size in found.visible.values() if size is not None) >= 0.4


def test_a_window_that_cannot_tell_says_how_large_one_would_that_can(like: Reference) -> None:
    """Of a log also how many days that is."""
    made = window(columns(np.random.default_rng(2), 15))
    found = data_drift.compare(like, made, time=None, ignored=())
    size = next(n for n, limits in like.limits.items() if data_drift.tells(like.bins, limits))
    assert found.notes[-1] == f"a window of about {size} rows would tell"
    assert data_drift.compare(
        like, window(columns(np.random.default_rng(2), size)), time=None, ignored=()
    ).tells
    made.since = datetime(2026, 11, 1, tzinfo=UTC)
    began = made.since.timestamp()
    made.tally = Tally(first=began, last=began + 3 * 86_400)
    found = data_drift.compare(like, made, time=None, ignored=())
    assert found.notes[-1].endswith(f"would tell: `monitoring.window_days: {math.ceil(3 * size / 15)}`")
    none = replace(like, limits={100: like.resampling.limits(15)})
    found = data_drift.compare(none, window(columns(np.random.default_rng(2), 15)), time=None, ignored=())
    assert found.notes[-1].startswith("no window would tell more: the reference has too few rows")


@pytest.mark.parametrize(("n", "state"), [(8, "can't tell"), (50, "can't tell"), (400, "no drift")])
def test_a_table_of_categories_alone_says_when_it_cannot_tell(n: int, state: str) -> None:
    like = make(window(columns(np.random.default_rng(1), 5000, 2, "level")))
    found = data_drift.compare(
        like, window(columns(np.random.default_rng(2), n, 2, "level")), time=None, ignored=()
    )
    assert (found.state, found.drifts) == (state, [])


@pytest.mark.parametrize(
    ("change", "kind", "column"),
    [
        (lambda made: made.pop("count"), "missing column", "count"),
        (lambda made: made.update(fresh=made["count"]), "new column", "fresh"),
        (lambda made: made.update(holes=[None] * 400), "all null", "holes"),
        (lambda made: made.update(normal=[0.25] * 400), "constant", "normal"),
        (lambda made: made.update(count=[f"{one:.0f} items" for one in made["count"]]), "retyped", "count"),
        (lambda made: made.update(level=[ord(one) for one in made["level"]]), "retyped", "level"),
        (moved("level", lambda x: np.where(np.arange(len(x)) < 6, "new", x)), "new category", "level"),
    ],
)
def test_another_schema_is_no_drift(like: Reference, change: Change, kind: str, column: str) -> None:
    found = checked(like, 400, change)
    assert [(one.kind, one.column) for one in found.changes] == [(kind, column)]
    assert found.state == "no drift"
    assert found.alarms
    if kind == "new category":
        assert found.changes[0].what == "6 of 400 rows hold a value never seen before, such as 'new'"


@pytest.mark.parametrize(("n", "compared"), [(900, 900), (5000, 1000), (20_000, 1000)])
def test_at_most_a_fifth_as_many_rows_as_the_reference_has_are_compared(
    like: Reference, n: int, compared: int
) -> None:
    """A window as large as an unlucky reference would alarm every week again."""
    found = checked(like, n)
    assert (found.n, found.compared, found.state) == (n, compared, "no drift")


def test_a_value_of_another_type_is_not_shown_but_its_form_is(like: Reference) -> None:
    """Somebody's number may have come into the wrong column."""
    (found,) = checked(like, 400, lambda made: made.update(normal=["Müller, 030-4711"] * 400)).changes
    form = "'aaaaaa, 999-9999' (a: any letter, 9: any digit)"
    assert found.what == f"was number, now holds texts of the form {form}"


def test_levels_that_are_rare_are_new_now_and_then_and_say_so() -> None:
    """Five in a hundred of these windows hold one that their reference does not, by chance."""

    def carriers(seed: int, n: int) -> Window:
        shares = [0.3, 0.25, 0.2, 0.15, 0.0955, 0.0015, 0.0015, 0.0015]
        return window({"carrier": np.random.default_rng(seed).choice(list("ABCDExyz"), n, p=shares)})

    found = []
    for one in range(20):
        like = make(carriers(1000 + one, 600))
        like.limits = {50: like.resampling.limits(50)}
        seeds = range(10 * one, 10 * one + 10)
        found += [data_drift.compare(like, carriers(seed, 50), time=None, ignored=()) for seed in seeds]
    assert not any(one.changes for one in found)
    assert any("; so many may be by chance" in note for one in found for note in one.notes)


def test_a_column_of_infinities_is_said_to_hold_no_finite_number(like: Reference) -> None:
    found = checked(like, 400, lambda made: made.update(normal=[math.inf] * 400))
    assert [one.what for one in found.changes] == ["has no finite number in the window"]


def test_numbers_and_times_as_texts_are_what_they_were(like: Reference) -> None:
    def as_a_csv_has_it(made: dict[str, Any]) -> None:
        for name in ("normal", "count", "flag", "when"):
            made[name] = [str(one) for one in made[name]]

    assert not checked(like, 400, as_a_csv_has_it).alarms


def test_a_constant_that_changes_is_drift() -> None:
    like = make(window({"always": np.full(1000, 3.0), "x": np.random.default_rng(0).normal(size=1000)}))
    made = {"always": np.where(np.arange(200) < 60, 4.0, 3.0), "x": np.random.default_rng(1).normal(size=200)}
    assert [one.column for one in data_drift.compare(like, window(made), time=None, ignored=()).drifts] == [
        "always"
    ]


def test_a_trifle_in_a_large_window_is_no_alarm() -> None:
    like = reference(3, 100_000, 1)
    found = checked(like, 20_000, moved("normal", lambda x: x + 0.03))
    assert not found.drifts
    assert checked(like, 20_000, moved("normal", lambda x: x + 0.1)).drifts


def test_rows_that_follow_each_other_do_not_alarm_more_often() -> None:
    """An AR(1) of 0.8: of 500 rows in a row, thought to be independent, most would alarm."""

    def walk(seed: int, n: int) -> Any:
        draw, made = np.random.default_rng(seed), np.zeros(n)
        for at in range(1, n):
            made[at] = 0.8 * made[at - 1] + draw.normal()
        return made

    def rows(seed: int, n: int) -> dict[str, Any]:
        start = np.datetime64("2026-03-02T00:00:00")
        return {"t": start + np.arange(n).astype("timedelta64[s]"), "x": walk(seed, n)}

    like = make(window(rows(0, 10_000)), time="t", left_out=("t",))
    resampling = like.resampling
    assert resampling.run > 10
    like.limits = {500: resampling.limits(500)}
    alarms = [
        data_drift.compare(like, window(rows(seed, 500)), time="t", ignored=()).alarms
        for seed in range(1, 101)
    ]
    assert sum(alarms) <= 3


def test_what_stays_for_long_is_no_other_schema_in_a_short_window() -> None:
    """Rain that does not fall for hours, and a gauge that is off for hours: rows that follow each other are alike."""
    draw, n, block = np.random.default_rng(3), 4000, 100
    dry, off = (np.repeat(draw.random(n // block) < share, block) for share in (0.4, 0.4))
    rows = {
        "rain": np.where(dry, 0.0, draw.exponential(size=n)),
        "gust": np.where(off, np.nan, draw.normal(size=n)),
        "x": draw.normal(size=n),
        "when": np.datetime64("2026-01-05T00:00:00", "s") + np.arange(n).astype("timedelta64[m]"),
    }
    like = make(window(rows), time="when")
    assert like.resampling.run > block // 2
    first = int(np.flatnonzero(dry & off)[0])
    for size in (5, 60):
        short = {name: values[first : first + size] for name, values in rows.items()}
        assert data_drift.compare(like, window(short), time="when", ignored=()).changes == []
    lost = {name: values[:2000] for name, values in rows.items()}
    lost |= {"rain": np.zeros(2000), "gust": np.full(2000, np.nan)}
    changes = data_drift.compare(like, window(lost), time="when", ignored=()).changes
    assert {(one.column, one.kind) for one in changes} == {("rain", "constant"), ("gust", "all null")}


def test_shares_of_single_precision_can_be_drawn_from() -> None:
    draw = np.random.default_rng(0)
    for _ in range(500):
        counts = draw.integers(1, 1000, 13)
        shares = (counts / counts.sum()).astype(np.float32).astype(float)
        draw.multinomial(100, resampling_method._tilted(shares, 0.01, None))
