"""The served answers are those of `pipeline.predict`, and what is not as the schema says is refused."""

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serving.seldon import forms
from serving.seldon.core import Core
from serving.seldon.door import Door, Refused
from serving.seldon.integrity import Refusal, check_artifacts
from serving.seldon.load import load
from serving.seldon.predictions_log import PredictionsLog

ROOT = Path(__file__).parents[2]
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def core() -> Core:
    if not (ROOT / "model").is_dir():  # a fresh clone has none, and nothing can be served
        pytest.skip("train first: uv run dvc repro")
    os.chdir(ROOT)
    return load(ROOT, "model", "v0", "pipeline.answer:answers")


def asked(core: Core, rows: object) -> tuple[int, Any]:
    status, body = forms.answer(core, forms.rows, json.dumps({"rows": rows}).encode(), JSON)
    return status, json.loads(body)


def test_answers_are_those_of_predict(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline import predict

    out = tmp_path / "predictions.csv"
    sample = next(ROOT.glob("data/sample.*"))
    monkeypatch.setattr("sys.argv", ["predict", str(sample), "--out", str(out)])
    predict.main()
    with out.open(newline="") as stream:
        written = list(csv.DictReader(stream))
    status, answer = asked(core, core.probes[: min(len(written), 200)])
    assert status == 200
    for one, row in zip(answer["predictions"], written, strict=False):
        assert one.keys() == row.keys()
        assert [v for v in one.values() if isinstance(v, float)] == [
            float(row[name]) for name, v in one.items() if isinstance(v, float)
        ]


def test_the_fast_path_answers(core: Core) -> None:
    """Change this if your pipeline is one that fast.py does not know."""
    assert core.slow_because == ""


def test_a_missing_column_is_refused_by_name(core: Core) -> None:
    for name in core.door.readers if core.door else ():
        row = {key: value for key, value in core.probes[0].items() if key != name}
        status, answer = asked(core, [core.probes[0], row])
        assert (status, answer) == (422, {"error": f"row 1, column {name!r}: missing"})


def test_a_value_of_another_type_is_refused_and_not_repeated(core: Core) -> None:
    for name in core.probes[0]:
        status, answer = asked(core, [core.probes[0] | {name: {"secret": "hunter2"}}])
        assert status == 422
        assert f"row 0, column {name!r}" in answer["error"]
        assert "hunter2" not in answer["error"]


@pytest.mark.parametrize("rows", [[], [1], None, "rows", [[]], {}])
def test_what_is_no_list_of_rows_is_refused(core: Core, rows: object) -> None:
    assert asked(core, rows)[0] in (400, 422)


def test_tensors_give_the_same_answers(core: Core) -> None:
    rows = [row for row in core.probes[:20] if None not in row.values()] or core.probes[:1]
    kinds = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES", type(None): "FP64"}
    inputs = [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": kinds[type(value)],
            "data": [r[name] for r in rows],
        }
        for name, value in rows[0].items()
    ]
    status, body = forms.answer(core, forms.tensors, json.dumps({"inputs": inputs}).encode(), JSON)
    columns = {one["name"]: one["data"] for one in json.loads(body)["outputs"]}
    assert status == 200
    assert [
        dict(zip(columns, v, strict=True)) for v in zip(*columns.values(), strict=True)
    ] == asked(core, rows)[1]["predictions"]


def test_a_changed_model_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "mlops.yaml").write_text("artifacts: [model.bin]\n")
    (tmp_path / "dvc.lock").write_text(
        "stages: {train: {outs: [{path: model.bin, md5: 5d41402abc4b2a76b9719d911017c592}]}}\n"
    )
    (tmp_path / "model.bin").write_text("hello")
    assert check_artifacts(tmp_path)
    (tmp_path / "model.bin").write_text("hell0")
    with pytest.raises(Refusal, match=r"model\.bin is not what dvc\.lock says"):
        check_artifacts(tmp_path)


def test_unknown_columns_are_ignored_and_counted_or_refused(core: Core) -> None:
    assert core.door
    row = core.probes[0] | {"nobody knows this column": 1}
    before = core.extra
    assert asked(core, [row])[0] == 200
    assert core.extra == before + 1
    strict = Door(replace(core.schema, extra_columns="refused"))
    with pytest.raises(Refused, match="1 column that data/schema"):
        strict.columns([row])


@pytest.mark.parametrize(
    ("function", "status"),
    [
        (lambda rows: [{"key": "0", "prediction": row["a"] * 2} for row in rows], 200),
        (lambda rows: [{"prediction": row["b"]} for row in rows], 422),  # no such column
        (lambda rows: [{"prediction": float(row["c"])} for row in rows], 422),  # a text
        (lambda rows: [], 500),
        (lambda rows: [{"prediction": float("nan")}], 500),
        (lambda rows: [{"prediction": object()}], 500),
        (lambda rows: 1 / 0, 500),
    ],
)
def test_a_function_without_a_schema(
    function: Any, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a repository whose model is not scikit-learn's: it is asked as it is, and trusted in nothing."""
    core = Core("model", "v0", function)
    code, answer = asked(core, [{"a": 21, "c": "hunter2"}])
    assert code == status
    if status == 200:
        assert answer["predictions"] == [{"key": "0", "prediction": 42}]
    else:
        assert "does not take these rows" in answer["error"]
        assert "hunter2" not in capsys.readouterr().err


def test_a_disk_that_is_full_costs_lines_and_no_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    log = PredictionsLog(tmp_path / "log", masked=[], keep_days=1)
    monkeypatch.setattr(os, "write", lambda file, text: write(file, text[: len(text) - 5]))
    log.add({"key": str(n)} for n in range(3))
    log.write()
    assert log.dropped == 1  # the torn one
    monkeypatch.setattr(os, "write", write)
    log.add([{"key": "after"}])
    log.close()
    (file,) = (tmp_path / "log").iterdir()
    lines = file.read_text().splitlines()
    assert json.loads(lines[-1])["key"] == "after"
    assert [json.loads(line)["key"] for line in lines[:2]] == ["0", "1"]
