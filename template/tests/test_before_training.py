"""Before training: is the data the committed version, is bad data refused, are the features fair?"""

import hashlib
import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import yaml
from conftest import keys, planted, split
from polars.testing import assert_frame_equal

from pipeline import read_params
from pipeline.checks import check
from pipeline.prepare import select_newest, select_random
from pipeline.read import read, read_untyped
from pipeline.schema import ROW, Column, DataError, Schema
from pipeline.train import make_features

REMOTE_SECONDS = 60
ENOUGH = 150  # different numbers to see a copy of them in


def feature(schema: Schema, what: str, fits: Callable[[Column], object]) -> tuple[str, Column]:
    """The first that fits. What the data has no column for cannot be broken in it."""
    for name, column in schema.features.items():
        if fits(column):
            return name, column
    pytest.skip(f"data/schema.yaml has no {what}: nothing to check with this data")


def test_a_missing_column_is_named(sample: pl.DataFrame, schema: Schema) -> None:
    name = next(iter(schema.features))
    assert f"column {name!r} is missing" in check(sample.drop(name), schema)


def test_an_extra_column_is_named(sample: pl.DataFrame, schema: Schema) -> None:
    problems = check(sample.with_columns(pl.lit(1).alias("brand new")), schema)
    assert problems == ["column 'brand new' is not in data/schema.yaml"]


def test_a_renamed_column_is_named_twice(sample: pl.DataFrame, schema: Schema) -> None:
    name = next(iter(schema.features))
    problems = check(sample.rename({name: "another name"}), schema)
    assert f"column {name!r} is missing" in problems
    assert "column 'another name' is not in data/schema.yaml" in problems


def test_a_value_of_another_type_is_named_with_its_row(
    committed: Path, schema: Schema, tmp_path: Path
) -> None:
    name, _ = feature(schema, "number", lambda one: one.type in ("number", "integer"))
    text = read_untyped(committed, schema.file)
    text = text.with_columns(
        pl.when(pl.int_range(pl.len()) == 3)
        .then(pl.lit("twelve"))
        .otherwise(pl.col(name))
        .alias(name)
    )
    path = tmp_path / "rows.csv"
    content = text.write_csv(separator=schema.file.get("separator", ","))
    path.write_bytes(content.encode(schema.file.get("encoding", "utf-8")))
    with pytest.raises(DataError, match=r"in 1 rows \(row 5: 'twelve'\)") as refused:
        read(path, schema)
    assert repr(name) in str(refused.value)


def test_missing_values_are_counted(sample: pl.DataFrame, schema: Schema) -> None:
    name, _ = feature(schema, "column without missing values", lambda one: one.missing == 0)
    holes = pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise(pl.col(name)).alias(name)
    (problem,) = check(sample.with_columns(holes), schema)
    assert problem.startswith(f"column {name!r}: a value is missing in 7 rows (row 2: None")


def test_more_missing_values_than_allowed_are_refused(sample: pl.DataFrame, schema: Schema) -> None:
    name, _ = feature(schema, "column with some missing values", lambda one: 0 < one.missing < 1)
    empty = pl.lit(None, sample[name].dtype).alias(name)
    (problem,) = check(sample.with_columns(empty), schema)
    assert problem.startswith(f"column {name!r}: more than") and f" of {len(sample)})" in problem


@pytest.mark.parametrize(("bound", "step"), [("min", -1), ("max", 1)])
def test_a_value_out_of_range_is_named(
    bound: str, step: int, sample: pl.DataFrame, schema: Schema
) -> None:
    name, column = feature(schema, bound, lambda one: getattr(one, bound) is not None)
    beyond = getattr(column, bound) + step
    first = pl.when(pl.int_range(pl.len()) == 5).then(beyond).otherwise(pl.col(name))
    (problem,) = check(sample.with_columns(first.cast(sample[name].dtype).alias(name)), schema)
    assert f"column {name!r}" in problem
    assert "in 1 rows (row 7:" in problem


def test_an_unknown_category_is_named(sample: pl.DataFrame, schema: Schema) -> None:
    name, _ = feature(schema, "category", lambda one: one.values)
    new = pl.when(pl.int_range(pl.len()) == 2).then(pl.lit("never seen")).otherwise(pl.col(name))
    (problem,) = check(sample.with_columns(new.alias(name)), schema)
    assert f"column {name!r}" in problem
    assert "in 1 rows (row 4: 'never seen')" in problem


def test_repeated_rows_are_counted(sample: pl.DataFrame, schema: Schema) -> None:
    twice = pl.concat([sample, sample.with_columns(pl.col(ROW) + len(sample))])
    (problem,) = check(twice, replace(schema, duplicates=0.0))
    assert "occurs twice" in problem or "repeat an earlier one" in problem


def test_no_rows_are_refused(sample: pl.DataFrame, schema: Schema) -> None:
    assert check(sample.clear(), schema) == ["the data has no rows"]


def test_a_column_that_gives_the_target_away_is_named(sample: pl.DataFrame, schema: Schema) -> None:
    numeric, _ = feature(
        schema,
        "number to put the target into",
        lambda one: one.type == "number" and not one.may_give_target_away,
    )
    different = sample[schema.target].n_unique()
    # a copy of a few values is a coincidence that real columns have too
    if different < (ENOUGH if schema.task == "regression" else 2):
        pytest.skip(f"the sample's target has {different} different values: too few to tell")
    codes = sample[schema.target].rank("dense").cast(pl.Float64)
    low = schema.columns[numeric].min or 0.0
    high = schema.columns[numeric].max or low + 1.0
    lowest, highest = codes.min(), codes.max()
    # polars' types say: whatever a cell may hold
    assert isinstance(lowest, float) and isinstance(highest, float)
    share = (codes - lowest) / (highest - lowest)
    leaked = (low + share * (high - low)).clip(low, high)
    problems = check(sample.with_columns(leaked.alias(numeric)), schema)
    assert any(f"{numeric!r} gives the target" in problem for problem in problems)


def test_a_missing_schema_is_a_failure_not_a_skip(scratch: Path) -> None:
    from pipeline import schema as schemas

    (scratch / "data/schema.yaml").unlink()
    with pytest.raises(DataError, match="nothing says what the data should be"):
        schemas.load()


def test_no_row_is_in_train_and_test(sample: pl.DataFrame, schema: Schema) -> None:
    train, test = split(sample, schema)
    assert len(train) > len(test) > 0
    assert len(train) + len(test) == len(sample)
    assert not keys(train, schema) & keys(test, schema)


def test_the_newest_rows_are_the_test_set() -> None:
    moments = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 10), "1h", eager=True)
    times = moments.shuffle(seed=1)
    test = select_newest(times, 0.2)
    newest_trained = times.filter(~test).max()
    assert (times.filter(test) > newest_trained).all()
    assert 0.15 < test.sum() / len(test) < 0.25


def test_the_draw_is_seeded_and_stays_when_rows_are_appended() -> None:
    rows = pl.Series(range(1000))
    test, later = select_random(rows.head(600), 0.2, 1), select_random(rows, 0.2, 1)
    assert 80 < test.sum() < 160
    assert test.to_list() == later.head(600).to_list()


def test_the_model_does_not_see_the_target(sample: pl.DataFrame, schema: Schema) -> None:
    other = planted(sample, schema, (sample[ROW] % 2))
    assert_frame_equal(make_features(sample, schema), make_features(other, schema))
    assert schema.target not in make_features(sample, schema).columns


# ---- the data as it is committed, tracked and pushed ----


def test_the_sample_is_what_the_schema_says(sample: pl.DataFrame, schema: Schema) -> None:
    assert check(sample, schema) == []


def test_the_sample_is_small(sample: pl.DataFrame) -> None:
    assert len(sample) <= 1000, "the sample is committed to Git; keep it at 1,000 rows or fewer"


def test_the_raw_data_is_the_version_that_git_names() -> None:
    raw = Path(read_params()["data"])
    pointer = Path(f"{raw}.dvc")
    # a fresh clone holds the pointer alone, and that is no mistake
    if not pointer.exists() or not raw.exists():
        pytest.skip(f"{raw} is not here; `uv run dvc pull` brings it")
    content = raw.read_bytes()
    named = yaml.safe_load(pointer.read_text(encoding="utf-8"))["outs"][0]["md5"]
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    ends = " It has CRLF line ends: was it copied by Windows?" if b"\r\n" in content else ""
    assert found == named, (
        f"{raw} is not the file that {pointer} names.{ends} "
        f"`uv run dvc checkout {pointer}` brings that one back, `uv run dvc add {raw}` takes this one"
    )


def dvc(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["dvc", *words], capture_output=True, text=True, timeout=REMOTE_SECONDS, check=False
    )


def out_of_reach(url: str) -> str:
    """Why nothing answers at an address where DVC itself would see an empty remote; else ""."""
    if url.startswith(("http://", "https://")):
        try:
            urllib.request.urlopen(url, timeout=REMOTE_SECONDS).close()
        except urllib.error.HTTPError:
            return ""  # it answers, if only those who are logged in
        except OSError as error:
            return f"{urllib.parse.urlsplit(url).hostname}: {error}"
    elif "://" not in url and not Path(".dvc", url).is_dir():
        return f"there is no folder {url} (the first `uv run dvc push` makes it)"
    return ""


@pytest.mark.remote
def test_everything_tracked_is_in_the_remote() -> None:
    remote = dvc("config", "core.remote").stdout.strip()
    assert remote, "no DVC remote is configured: uv run dvc remote add --default storage URL"
    why = out_of_reach(dvc("config", f"remote.{remote}.url").stdout.strip())
    assert not why, f"the remote {remote!r} cannot be reached: {why}"
    try:
        asked = dvc("data", "status", "--not-in-remote", "--json")
    except subprocess.TimeoutExpired:
        pytest.fail(f"the remote {remote!r} did not answer within {REMOTE_SECONDS} s")
    assert asked.returncode == 0, f"the remote {remote!r} cannot be asked: {asked.stderr.strip()}"
    missing = json.loads(asked.stdout or "{}").get("not_in_remote", [])
    assert not missing, f"not pushed to {remote!r}: {', '.join(missing)}. Run: uv run dvc push"
