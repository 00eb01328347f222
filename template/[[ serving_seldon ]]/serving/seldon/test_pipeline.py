"""The served answers are those of `pipeline.predict`, and what is not as the schema says is refused."""

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from serving.seldon import forms
from serving.seldon.core import Core, Refused
from serving.seldon.door import Door
from serving.seldon.load import load
from serving.seldon.test_serving import JSON, asked

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def core() -> Core:
    if not (ROOT / "model").is_dir():  # a fresh clone has none, and nothing can be served
        pytest.skip("train first: uv run dvc repro")
    os.chdir(ROOT)
    return load(ROOT, "model", "v0", "pipeline.answer:answers")


def test_answers_are_those_of_predict(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline import predict

    out = tmp_path / "predictions.csv"
    sample = next(ROOT.glob("data/sample.*"), None)
    if sample is None:
        pytest.skip("no sample is committed, and this test needs rows")
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


def test_unknown_columns_are_ignored_and_counted_or_refused(core: Core) -> None:
    assert core.door
    row = core.probes[0] | {"nobody knows this column": 1}
    before = core.extra
    assert asked(core, [row])[0] == 200
    assert core.extra == before + 1
    strict = Door(replace(core.schema, extra_columns="refused"))
    with pytest.raises(Refused, match="1 column that data/schema"):
        strict.columns([row])
