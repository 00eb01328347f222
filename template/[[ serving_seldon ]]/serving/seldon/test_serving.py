"""A function of the repository is asked and trusted in nothing; a changed model is refused; a full disk costs no answer."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from serving.seldon import forms
from serving.seldon.core import Core
from serving.seldon.integrity import Refusal, check_artifacts
from serving.seldon.predictions_log import PredictionsLog

JSON = {"content-type": "application/json"}


def asked(core: Core, rows: object) -> tuple[int, Any]:
    status, body = forms.answer(core, forms.rows, json.dumps({"rows": rows}).encode(), JSON)
    return status, json.loads(body)


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
