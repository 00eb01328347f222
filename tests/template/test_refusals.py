"""What a stage says of input that it cannot use."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.conftest import Done, must, python_of, run

MODEL = "model/model.joblib"


def predict(flights: Path, rows: str) -> Done:
    words = ["-m", "pipeline.predict", rows, "--out", "out.csv", "--log", "log.jsonl"]
    return run([python_of(flights), *words], flights)


def logged(flights: Path) -> str:
    return str(json.loads((flights / "log.jsonl").read_text("utf-8").splitlines()[-1])["error"])


def test_a_model_that_is_not_whole_is_a_line_of_the_log_and_no_traceback(flights: Path) -> None:
    model = flights / MODEL
    torn = model.read_bytes()[:1000]
    model.unlink()  # it may be a link to the cache
    model.write_bytes(torn)
    done = predict(flights, "data/sample.csv")
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert f"{MODEL} cannot be loaded" in done.stderr
    assert f"{MODEL} cannot be loaded" in logged(flights)
    must([python_of(flights), "-m", "dvc", "checkout", "--force"], flights)
    assert predict(flights, "data/sample.csv").code == 0


def test_every_column_that_is_mistyped_is_named(flights: Path) -> None:
    text = (flights / "data/sample.csv").read_text("utf-8")
    header, row, *rest = text.splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    cells |= {"temperature": "warm", "distance": "far"}
    (flights / "rows.csv").write_text("\n".join([header, ",".join(cells.values()), *rest]) + "\n", "utf-8")
    done = predict(flights, "rows.csv")
    assert done.code == 1
    for name, kind, value in (("temperature", "number", "warm"), ("distance", "integer", "far")):
        assert f"rows.csv: column '{name}' is not {kind} in 1 rows (row 2: '{value}')" in done.stderr
        assert f"column '{name}'" in logged(flights)
        assert value not in logged(flights)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_rows_of_another_encoding_name_what_was_expected(encoding: str, flights: Path) -> None:
    text = (flights / "data/sample.csv").read_text("utf-8").replace("EWR", "EWRé")
    (flights / "rows.csv").write_text(text, encoding)
    done = predict(flights, "rows.csv")
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert "rows.csv cannot be read with {'encoding': 'utf-8', 'separator': ','}" in done.stderr
    assert "`file` of data/schema.yaml" in done.stderr


@pytest.mark.parametrize("share", [2, 0, "a fifth", True])
def test_a_share_of_test_rows_that_is_none(share: object, flights: Path) -> None:
    params = yaml.safe_load((flights / "params.yaml").read_text("utf-8")) | {"test_share": share}
    (flights / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    done = run([python_of(flights), "-m", "pipeline.prepare"], flights)
    assert done.code == 1
    assert f"test_share of params.yaml is {share!r}: not a share between 0 and 1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"positive": "maybe"}, "positive is 'maybe', no class of the target: False, True"),
        ({"slices": ["late"]}, "slices: 'late' is the target, or named as predictions are"),
        ({"slices": ["carrier", "origin", "key"]}, "slices is 'key', which is not under columns"),
        ({"destination": "text"}, "column 'destination': a text is no feature"),
    ],
)
def test_a_schema_that_contradicts_itself(change: dict[str, object], says: str, flights: Path) -> None:
    file = flights / "data/schema.yaml"
    schema = yaml.safe_load(file.read_text("utf-8"))
    for name, value in change.items():
        if name in schema["columns"]:
            schema["columns"][name]["type"] = value
        else:
            schema[name] = value
    file.write_text(yaml.safe_dump(schema), "utf-8")
    done = run([python_of(flights), "-m", "pipeline.checks"], flights)
    assert done.code == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_a_stage_without_what_it_reads(stage: str, flights: Path) -> None:
    shutil.rmtree(flights / "data/prepared")
    done = run([python_of(flights), "-m", f"pipeline.{stage}"], flights)
    assert done.code == 1
    assert "is not there: `uv run dvc repro` makes it" in done.stderr
    assert "Traceback" not in done.stderr
