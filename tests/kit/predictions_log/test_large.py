"""A log of more lines than memory holds: all are counted, a random sample is judged, and only its labels are kept."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.base import clock, progress
from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import quiet
from mlops_kit.data import sampling, tables
from mlops_kit.data.sampling import Draw
from mlops_kit.monitoring.checks import infrastructure
from mlops_kit.predictions_log import labels, window
from mlops_kit.predictions_log.counts import Tally
from mlops_kit.predictions_log.lines import hashed
from mlops_kit.project.sections import Monitoring
from mlops_kit.reports.review import weeks

START = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
N, LINES = 60_000, 2_000  # of the log, and of those that are kept
LAST = START + timedelta(seconds=20 * (N - 1))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "LINES", LINES)
    monkeypatch.setenv(clock.VARIABLE, LAST.isoformat())


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a regression, so that each prediction is another text; one call in a hundred fails, for five rows each."""
    made = tmp_path_factory.mktemp("large") / "log.jsonl"
    draw = np.random.default_rng(1)
    with made.open("w") as stream:
        for at, value in enumerate(draw.normal(size=N)):
            line: dict[str, Any] = {"time": (START + timedelta(seconds=20 * at)).isoformat(), "seconds": 0.1}
            if at % 100:
                line |= {"key": f"n{at}", "prediction": value, "inputs": {"x": value, "side": "ab"[at % 2]}}
            else:
                line |= {"error": "no model", "rows": 5}
            stream.write(json.dumps(line) + "\n")
    return made


def test_all_lines_are_counted_and_a_draw_is_kept(path: Path, few: None) -> None:
    found = window.read(str(path), 500, ["side"])
    assert found.facts and len(found.facts) == LINES
    assert found.facts.nbytes / LINES < 150
    assert found.of_a_draw == [
        f"all {N:,} lines of the log are counted, and a random sample of {LINES:,} is judged"
    ]
    runs = infrastructure.measure(found, Monitoring(errors_at_most=0.1))
    failed, predicted = N // 100, N - N // 100
    assert (runs.rows, runs.errors) == (predicted + 5 * failed, 5 * failed)
    assert (runs.newest, runs.alarms) == (LAST.isoformat(), [])
    assert runs.rows_an_hour == pytest.approx(180 * 1.04, rel=0.001)
    assert window.span(found) == (START, LAST)


def test_of_a_long_past_the_window_keeps_its_own_rows(path: Path, few: None) -> None:
    found = window.read(str(path), 500, [], days=0.25)
    since = LAST - timedelta(hours=6)
    assert found.facts and len(found.facts) == LINES + 6 * 180
    assert sum(one > since for one in found.facts["time"].to_pylist()) == 6 * 180
    assert infrastructure.measure(found, Monitoring()).rows == pytest.approx(6 * 180 * 1.04, abs=5)


def test_weeks_count_every_line(path: Path, few: None) -> None:
    found = window.read(str(path), 500, [])
    listed = weeks.before(weeks.monday_of(LAST.date()), 3)
    weeks.fill_traffic(listed, found.tally)
    first = [at < 7 * 86_400 // 20 for at in range(N)]
    asked = [5 if at % 100 == 0 else 1 for at in range(N)]
    predicted = sum(n for n, is_first in zip(asked, first, strict=True) if is_first)
    assert [one.predictions for one in listed] == [0, predicted, sum(asked) - predicted]
    assert sum(one.failed for one in listed) == 5 * N // 100


def test_what_goes_wrong_is_found_by_a_draw_too(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow server, one clock that is ahead, and a log that has ended."""
    monkeypatch.setattr(window, "LINES", LINES)
    slow = [line.replace('"seconds": 0.1', '"seconds": 2.5') for line in path.read_text().splitlines(True)]
    ahead = json.loads(slow[1]) | {"time": (datetime.now(UTC) + timedelta(days=400)).isoformat()}
    (tmp_path / "log.jsonl").write_text("".join([*slow[: N - 40_000], json.dumps(ahead) + "\n"]))
    found = window.read(str(tmp_path / "log.jsonl"), 500, [])
    limits = Monitoring(p95_seconds_at_most=1, silent_hours_at_most=24, errors_at_most=0.1)
    alarms = infrastructure.measure(found, limits).alarms
    assert [one.kind for one in alarms] == ["latency", "clock", "silence"]
    assert alarms[1].what.startswith("1 predictions are up to 9600.0 hours in the future")


@pytest.mark.parametrize("together", [1, 10])
def test_a_draw_is_the_same_in_whatever_pieces_rows_come(together: int) -> None:
    def drawn(piece: int) -> list[int]:
        draw = Draw(3000, together)
        texts = pa.array([f"t{at}" for at in range(200_000)]).dictionary_encode()
        whole = pa.table({"at": pa.array(range(200_000)), "text": texts})
        for start in range(0, len(whole), piece):
            draw.add(whole.slice(start, piece))
        found = pa.concat_tables(draw.batches())
        assert found["text"].to_pylist() == [f"t{at}" for at in found["at"].to_pylist()]
        assert found.nbytes < 100_000
        return list(found["at"].to_pylist())

    few, many = drawn(1_000), drawn(100_000)
    assert few == many == sorted(few)
    assert len(few) == 3000
    assert np.mean(few) == pytest.approx(100_000, rel=0.1)


def test_what_a_draw_takes_does_not_grow_with_what_it_is_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each batch a row or none is left, and of its texts, which are all different, no more."""
    monkeypatch.setattr(sampling, "TABLES", 50)
    monkeypatch.setattr(tables, "AT_ONCE", 1000)
    draw, held = Draw(500), []
    for at in range(2000):
        texts = pa.array([f"a text of some length, {at}-{row}" for row in range(100)])
        draw.add(pa.table({"text": texts.dictionary_encode()}))
        held.append(sum(batch.get_total_buffer_size() for _, batch in draw.kept))
    assert max(held[1000:]) < 1.1 * max(held[:1000])
    assert len(draw.kept) <= 50
    assert sum(map(len, draw.batches())) == 500


def test_a_draw_of_no_rows_keeps_its_columns() -> None:
    draw = Draw(10)
    draw.add(pa.table({"x": pa.array([], pa.int64())}))
    assert [one.column_names for one in draw.batches()] == [["x"]]


def of(keys: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([hashed(keys)])


def test_of_labels_those_of_the_predictions_stay_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full copy each day, with the labels of everything."""
    monkeypatch.setattr(labels, "AT_ONCE", 500)
    (tmp_path / "labels").mkdir()
    for day in range(20):
        lines = [f"n{at},{'' if at == 3 else at * 1.5}\n" for at in range(2000)]
        lines += [f"n7,{day}\n"]  # another one each day
        (tmp_path / "labels" / f"{day:02}.csv").write_text("key,actual\n" + "".join(lines))
    keys = [f"n{at}" for at in range(100)]
    came, notes = labels.read(str(tmp_path / "labels"), "key", "actual", of(keys), quiet)
    assert notes == []
    assert came and len(came) < 100 + 20 + 2 * 500
    found, notes = labels.joined(pa.table({"key": hashed(keys)}), came)
    wanted = [None if at in (3, 7) else str(at * 1.5) for at in range(100)]
    assert found["actual"].to_pylist() == wanted
    assert notes == ["1 keys have labels that contradict each other and are left out"]


def test_labels_of_other_keys_are_said(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("key,actual\n1,a\n2,b\n")
    came, notes = labels.read(str(tmp_path / "labels.csv"), "key", "actual", of(["n1", "n2"]), quiet)
    assert came is not None
    assert len(came) == 0
    assert notes == ["none of 2 labels has the key of a prediction: is `key` the key of both?"]


def test_a_lack_of_memory_is_not_told_as_a_torn_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise pa.ArrowMemoryError("malloc of size 4000064 failed")

    monkeypatch.setattr(Tally, "add", lambda _, batch: full(batch))
    with pytest.raises(KitError, match="cannot be read: malloc of size 4000064 failed") as refused:
        window.read(str(path), 500, [])
    assert refused.value.do == "It needs more memory than this machine gives it."


def test_a_long_reading_says_how_far_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    said: list[str] = []
    window.read(str(path), 500, [], say=said.append)
    assert said[:2] == ["10,000 rows so far", "20,000 rows so far"]
