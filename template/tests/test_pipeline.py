"""The stages together, on the committed sample: from raw rows to a prediction."""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest
import yaml
from conftest import ROOT, SAMPLE, keys
from polars.testing import assert_frame_equal

from pipeline import EVALUATION, METRICS, MODEL, PREPARED, answer, predict, prepare, read_params
from pipeline import schema as schemas
from pipeline.metrics import PRIMARY, compute_metrics
from pipeline.read import read_untyped
from pipeline.schema import ROW, DataError, Schema
from pipeline.train import encode_target

MADE = (METRICS, EVALUATION / "predictions.parquet", MODEL / "model.joblib")


def test_a_second_run_gives_the_same_bytes(run: Callable[[], Path]) -> None:
    run()
    first = {path: path.read_bytes() for path in MADE}
    run()
    assert [str(path) for path in MADE if path.read_bytes() != first[path]] == []


def test_the_test_rows_are_what_is_evaluated(run: Callable[[], Path], schema: Schema) -> None:
    run()
    train, test = (pl.read_parquet(PREPARED / f"{name}.parquet") for name in ("train", "test"))
    evaluated = pl.read_parquet(EVALUATION / "predictions.parquet")
    assert len(train) > len(test)
    assert set(evaluated["key"]) == keys(test, schema)
    if schema.time:
        assert (test[schema.time] > train[schema.time].max()).all()


def test_the_figures_follow_from_the_stored_predictions(
    run: Callable[[], Path], schema: Schema
) -> None:
    run()
    found = json.loads(METRICS.read_text(encoding="utf-8"))["model"]
    stored = pl.read_parquet(EVALUATION / "predictions.parquet")
    actual = (
        encode_target(stored.rename({"actual": schema.target}), schema).to_numpy().astype(float)
    )
    if schema.task == "regression":
        values = stored["prediction"].to_numpy()
    elif schema.task == "binary":
        values = stored.select(1 - pl.col("probability"), "probability").to_numpy()
    else:
        values = stored.select(f"probability.{name}" for name in schema.classes).to_numpy()
    again = compute_metrics(schema.task, actual, values)
    assert again["n"] == found["n"] == len(stored)
    primary = PRIMARY[schema.task]
    assert (primary in again) == (primary in found)
    assert again.get(primary) == pytest.approx(found.get(primary))


def raw_rows(schema: Schema) -> pl.DataFrame:
    """The sample as text."""
    return read_untyped(SAMPLE, schema.file)


def write(rows: pl.DataFrame, path: Path, schema: Schema) -> None:
    content = rows.write_csv(separator=schema.file.get("separator", ","))
    path.write_bytes(content.encode(schema.file.get("encoding", "utf8")))


@pytest.fixture
def holes(scratch: Path, schema: Schema) -> Schema:
    """The scratch sample with every feature missing in every fifth row, and a schema that allows it."""
    content = yaml.safe_load(schemas.PATH.read_text(encoding="utf-8")) | {"duplicates": 1.0}
    for name in schema.features:
        content["columns"][name] |= {"missing": 1.0, "may_give_target_away": True}
    schemas.PATH.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with_holes = [
        pl.when((pl.int_range(pl.len()) + at) % 5 > 0).then(pl.col(name)).alias(name)
        for at, name in enumerate(schema.features)
    ]
    write(raw_rows(schema).with_columns(with_holes), SAMPLE, schema)
    return schemas.load()


def test_a_prediction_for_raw_rows_is_the_evaluated_one(
    holes: Schema, run: Callable[[], Path]
) -> None:
    run()
    batch, _ = predict.predict(MODEL / "model.joblib", SAMPLE, holes)
    evaluated = pl.read_parquet(EVALUATION / "predictions.parquet").select(batch.columns)
    both = evaluated.select("key").join(batch, on="key", how="left", maintain_order="left")
    assert_frame_equal(both, evaluated, check_exact=True)


def test_rows_without_the_target_are_predicted(run: Callable[[], Path], schema: Schema) -> None:
    run()
    rows = raw_rows(schema)
    write(rows.drop(schema.target), Path("new.csv"), schema)
    batch, _ = predict.predict(MODEL / "model.joblib", Path("new.csv"), schema)
    assert len(batch) == len(rows)


def test_a_column_that_the_schema_does_not_know_is_ignored_with_a_warning(
    run: Callable[[], Path], schema: Schema
) -> None:
    run()
    write(raw_rows(schema).with_columns(pl.lit("x").alias("extra")), Path("new.csv"), schema)
    batch, unusual = predict.predict(MODEL / "model.joblib", Path("new.csv"), schema)
    assert len(batch) == len(raw_rows(schema))
    assert "column 'extra' is not in data/schema.yaml and is ignored" in unusual


def test_rows_that_cannot_be_used_are_refused(
    run: Callable[[], Path], schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    name = next(iter(schema.features))
    write(raw_rows(schema).drop(name), Path("bad.csv"), schema)
    with pytest.raises(DataError, match="is missing") as refused:
        predict.predict(MODEL / "model.joblib", Path("bad.csv"), schema)
    assert repr(name) in str(refused.value)
    monkeypatch.setattr(sys, "argv", ["predict", "bad.csv", "--out", "out.csv"])
    with pytest.raises(SystemExit, match=r"bad\.csv is refused"):
        predict.main()
    assert not Path("out.csv").exists()


def test_predictions_of_one_row_are_timed(
    run: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    answer.load_once.cache_clear()  # of another test's model
    monkeypatch.setattr(sys, "argv", ["answer", str(SAMPLE), "--calls", "20", "--out", "out.json"])
    answer.main()
    seconds = json.loads(Path("out.json").read_text(encoding="utf-8"))["seconds"]
    assert len(seconds) == 20
    assert all(one > 0 for one in seconds)


@pytest.mark.parametrize("out", ["nowhere/out.csv", "out.xlsx", str(SAMPLE)])
def test_predictions_go_nowhere_else(
    out: str, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (scratch / SAMPLE).read_bytes()
    monkeypatch.setattr(sys, "argv", ["predict", str(SAMPLE), "--out", out])
    with pytest.raises(SystemExit) as refused:
        predict.main()
    assert refused.value.code == 2
    assert (scratch / SAMPLE).read_bytes() == before


def test_the_log_holds_what_was_asked_and_answered(
    run: Callable[[], Path], schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    words = ["predict", str(SAMPLE), "--out", "out.parquet", "--log", "predictions.jsonl"]
    monkeypatch.setattr(sys, "argv", words)
    predict.main()
    predict.main()  # a second call adds
    lines = [json.loads(line) for line in Path("predictions.jsonl").read_text("utf-8").splitlines()]
    made = pl.read_parquet("out.parquet")
    assert [line["key"] for line in lines] == made["key"].to_list() * 2
    assert [line["prediction"] for line in lines] == made["prediction"].to_list() * 2
    assert schema.features.keys() <= lines[0]["inputs"].keys()
    assert schema.target not in lines[0]["inputs"]
    assert lines[0]["seconds"] > 0
    assert lines[0]["version"].startswith("md5:")

    write(pl.DataFrame({"nothing": [1, 2, 3]}), Path("bad.csv"), schema)
    monkeypatch.setattr(sys, "argv", [*words[:1], "bad.csv", *words[2:]])
    with pytest.raises(SystemExit):
        predict.main()
    last = json.loads(Path("predictions.jsonl").read_text("utf-8").splitlines()[-1])
    assert "is missing" in last["error"] and last["rows"] == 3


def test_the_log_masks_columns_and_forgets_days(
    run: Callable[[], Path], schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    name, *others = schema.features
    Path("log").mkdir()
    for day in ("2020-01-01", "2999-01-01"):
        Path(f"log/{day}.jsonl").touch()
    numbers = read_params() | {"predictions_log": {"masked": [name], "keep_days": 30}}
    Path("params.yaml").write_text(yaml.safe_dump(numbers), encoding="utf-8")
    monkeypatch.setattr(
        sys, "argv", ["predict", str(SAMPLE), "--out", "out.parquet", "--log", "log"]
    )
    predict.main()
    today, kept = sorted(path.name for path in Path("log").iterdir())
    assert (kept, today > "2020-01-01.jsonl") == ("2999-01-01.jsonl", True)
    line = json.loads(Path("log", today).read_text("utf-8").splitlines()[0])
    assert line["masked"] == [name]
    assert name not in line["inputs"]
    assert {*others} <= line["inputs"].keys()

    numbers["predictions_log"]["masked"] = ["nobody"]
    Path("params.yaml").write_text(yaml.safe_dump(numbers), encoding="utf-8")
    with pytest.raises(SystemExit, match="no column 'nobody'"):
        predict.main()


@pytest.mark.parametrize("bad", ["no rows", "a column less"])
def test_refused_data_leaves_the_model_alone(
    bad: str, run: Callable[[], Path], schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    before = {path: path.read_bytes() for path in (*MADE, *PREPARED.iterdir())}
    rows = raw_rows(schema)
    rows = rows.clear() if bad == "no rows" else rows.drop(list(schema.features)[-1])
    write(rows, SAMPLE, schema)
    monkeypatch.setattr(sys, "argv", ["prepare", "--data", str(SAMPLE)])
    with pytest.raises(SystemExit, match="is refused, nothing was trained"):
        prepare.main()
    assert {path: path.read_bytes() for path in before} == before


def test_the_contract_names_what_is_there(run: Callable[[], Path], schema: Schema) -> None:
    contract = yaml.safe_load((ROOT / "mlops.yaml").read_text(encoding="utf-8"))
    run()
    names = [contract["metrics"], contract["sample"]["file"], contract["predictions"]["file"]]
    names += [contract["rows"]["test"], contract["rows"]["train"], *contract["artifacts"]]
    assert [name for name in names if not Path(name).exists()] == []
    assert contract["sample"]["parameter"] in read_params()
    both = "in mlops.yaml and in data/schema.yaml"
    assert contract["predictions"]["task"] == schema.task, f"task {both}"
    assert contract["predictions"].get("positive") == schema.positive, f"positive {both}"
    assert contract["rows"]["key"] == (schema.key or ROW), f"key {both}"
    for name in ("validate", "predict", "latency"):
        module = contract["commands"][name].split(" -m ")[1]
        assert callable(getattr(import_module(module), "main", None)), f"mlops.yaml: {name}"


def test_the_gates_judge_what_is_measured(run: Callable[[], Path], schema: Schema) -> None:
    contract = yaml.safe_load((ROOT / "mlops.yaml").read_text(encoding="utf-8"))
    run()
    found = json.loads(METRICS.read_text(encoding="utf-8"))
    for gate in contract["gates"].values():
        if gate["kind"] == "threshold":
            bound = gate.get("at_least", gate.get("at_most"))
            for path in [gate["metric"], *([bound] if isinstance(bound, str) else [])]:
                which, _, name = path.partition(".")
                assert name in found[which], f"mlops.yaml: {path}"
        if gate["kind"] == "slices":
            assert gate["of"].removeprefix("slices.") in schema.slices


def test_prepared_rows_are_predicted_as_they_were_evaluated(
    run: Callable[[], Path], schema: Schema
) -> None:
    run()
    batch, _ = predict.predict(MODEL / "model.joblib", PREPARED / "test.parquet", schema)
    evaluated = pl.read_parquet(EVALUATION / "predictions.parquet").select(batch.columns)
    assert_frame_equal(batch, evaluated, check_exact=True)
