"""Concept drift by `monitor check`, with labels and without."""

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.conftest import Once, must
from tests.kit.builders import a_record
from tests.kit.monitoring.log_repository import START, Check, checked, log, repository, table
from tests.kit.small_repository import Small, dvc


def test_a_relation_that_flips_is_concept_drift_alone(check: Check, tmp_path: Path) -> None:
    flipped = table(5, 600)
    log(tmp_path / "log.jsonl", flipped)
    flipped["late"] = np.where(np.arange(600) < 300, flipped["late"], ~flipped["late"])
    parquet.write_table(pa.table(flipped), tmp_path / "labels.parquet")
    done, found = check(tmp_path / "log.jsonl", "--labels", tmp_path / "labels.parquet")
    assert done.code == 10, done.said
    states = [found[one]["state"] for one in ("data", "concept", "infrastructure")]
    assert states == ["no drift", "drift", "fine"]
    concept = found["concept"]
    assert concept["metric"] == "roc_auc"
    assert concept["figure"]["high"] < concept["figure"]["reference"]
    began = (datetime.fromisoformat(concept["since"]) - START).total_seconds()
    assert 250 <= began <= 350
    assert sorted(concept["slices"]) == ["side=a", "side=b"]
    went = [value for _, value in concept["course"]["points"]]
    assert len(went) == 8 and max(went[:4]) < min(went[4:])


def test_a_relation_that_holds_is_known_by_its_labels(check: Check, tmp_path: Path) -> None:
    """Labels come late, for some rows, and some contradict each other."""
    rows = table(6, 600)
    log(tmp_path / "log.jsonl", rows)
    some = pa.table(rows).slice(0, 200)
    both = pa.concat_tables([some, some.slice(0, 1).set_column(4, "late", pa.array([not rows["late"][0]]))])
    parquet.write_table(both, tmp_path / "labels.parquet")
    done, found = check(tmp_path / "log.jsonl", "--labels", tmp_path / "labels.parquet")
    assert done.code == 0, done.said
    assert found["concept"]["state"] == "holds"
    assert (found["concept"]["predictions"], found["concept"]["labelled"]) == (600, 199)
    assert "contradict" in found["concept"]["notes"][0]
    happened = found["concept"]["happened"]
    assert happened["low"] <= happened["reference"] <= happened["high"]


def test_what_another_model_predicted_says_nothing_of_this_one(once: Once, tmp_path: Path) -> None:
    """The version in use has two files in its artifacts' folder; the log names models by the hash of one."""
    made = repository(tmp_path / "flights")
    data = f"model: flights\nartifacts: [model]\ncommands: {{dvc: {dvc(once)}}}\n"
    made.edit("mlops.yaml", "model: flights\n", data)
    must([dvc(once), "init", "--quiet"], made.root)
    files = {"model/a": "weights", "model/b": "words"}
    for name, text in files.items():
        made.write(name, text)
    made.write(
        "dvc.yaml",
        "stages:\n  train:\n    cmd: 'true'\n    outs: [model, train.parquet, test.parquet, evaluated.parquet]\n",
    )
    must([dvc(once), "commit", "--force", "--quiet", "train"], made.root)
    made.write("record.json", a_record("a" * 40, "v0.1.0").text())
    made.commit("A model")
    made.git("tag", "--annotate", "flights@v0.1.0", "--message", "v0.1.0")
    ours = hashlib.md5(b"weights").hexdigest()
    rows = table(9, 600)
    flipped = rows | {"late": np.append(rows["late"][:300], ~rows["late"][300:])}
    parquet.write_table(pa.table(flipped), tmp_path / "labels.parquet")
    must([dvc(once), "remote", "add", "--default", "storage", tmp_path / "remote"], made.root)
    must([dvc(once), "push", "--quiet"], made.root)

    def state(other: str) -> str:
        log(tmp_path / "log.jsonl", rows, version=f"md5:{ours}")
        lines = (tmp_path / "log.jsonl").read_text().splitlines(keepends=True)
        others = [json.dumps(json.loads(line) | {"version": other}) + "\n" for line in lines[300:]]
        (tmp_path / "log.jsonl").write_text("".join([*lines[:300], *others]))
        done, found = checked(made, tmp_path / "log.jsonl", "--labels", tmp_path / "labels.parquet")
        assert done.code in (0, 10), done.said
        assert found["version"] == "v0.1.0"
        return str(found["concept"]["state"])

    stranger = "md5:" + "0" * 32
    found = {other: state(other) for other in (stranger, f"md5:{ours}", "v0.0.9", "blue")}
    assert found == {stranger: "holds", f"md5:{ours}": "drift", "v0.0.9": "holds", "blue": "drift"}
    shutil.rmtree(made.root / ".dvc/cache")
    assert state(stranger) == "holds"  # as the remote has it


def test_without_labels_nothing_is_known(check: Check, tmp_path: Path) -> None:
    log(tmp_path / "log.jsonl", table(7, 300))
    done, found = check(tmp_path / "log.jsonl")
    assert done.code == 0, done.said
    assert found["concept"]["state"] == "unknown"
    assert found["concept"]["since"] == START.isoformat()


MOVED: dict[str, Callable[[dict[str, Any]], Any]] = {  # and what predicts goes on as it did
    "x": lambda rows: rows["x"] + 1,
    "x, spread": lambda rows: rows["x"] * 2,
    "amount": lambda rows: rows["amount"] * 1.6,
}


@pytest.mark.parametrize("name", ["x", "x, spread"])
def test_a_shift_without_labels_is_one_alarm_although_the_predictions_move_with_it(
    name: str, made: Small, check: Check, tmp_path: Path
) -> None:
    rows = table(7, 400)
    log(tmp_path / "log.jsonl", rows | {"x": MOVED[name](rows)})
    done, found = check(tmp_path / "log.jsonl")
    assert done.code == 10, done.said
    first, second = found["findings"]
    assert (first["kind"], first["column"], second["kind"]) == ("data-drift", "x", "data-drift")
    assert second["what"].startswith("the predictions (probability) moved with them, by ")
    assert "predictions-moved" not in found["judged"]
    outcome = json.loads((made.root / ".mlops/monitoring/outcome.json").read_text("utf-8"))
    assert f"And {second['what']}." in outcome["shown"]["data-drift"]


@pytest.mark.parametrize(("moved", "kinds"), [((), []), (("amount",), ["data-drift"])])
def test_predictions_that_move_further_than_the_inputs_are_an_alarm_of_their_own(
    moved: tuple[str, ...], kinds: list[str], check: Check, tmp_path: Path
) -> None:
    rows = table(7, 400)
    rows |= {name: MOVED[name](rows) for name in moved}
    log(tmp_path / "log.jsonl", rows, prediction=True, probability=0.97)
    done, found = check(tmp_path / "log.jsonl")
    assert done.code == 10, done.said
    assert [one["kind"] for one in found["findings"]] == [*kinds, "predictions-moved"]


def test_long_without_labels_is_an_alarm(check: Check, tmp_path: Path) -> None:
    before = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    log(tmp_path / "log.jsonl", table(7, 300))
    old = json.dumps({"time": before, "key": "old", "inputs": {}, "prediction": True, "probability": 0.6})
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write(old + "\n")
    done, found = check(tmp_path / "log.jsonl")
    assert done.code == 10, done.said
    assert [one["what"][:26] for one in found["concept"]["alarms"]] == ["no label has arrived since"]


def test_few_labels_cannot_tell(check: Check, tmp_path: Path) -> None:
    rows = table(8, 300)
    log(tmp_path / "log.jsonl", rows)
    parquet.write_table(pa.table(rows).slice(0, 20), tmp_path / "labels.parquet")
    _, found = check(tmp_path / "log.jsonl", "--labels", tmp_path / "labels.parquet")
    assert found["concept"]["state"] == "can't tell"
    assert found["concept"]["notes"][0] == "20 labels are too few: it takes 30"
    few = found["concept"]["figure"]
    assert (found["concept"]["metric"], few["n"]) == ("roc_auc", 20)
    assert 0 <= few["low"] < few["value"] < few["high"] <= 1 and few["high"] - few["low"] > 0.3
    parquet.write_table(pa.table(rows).slice(0, 40), tmp_path / "labels.parquet")
    _, found = check(tmp_path / "log.jsonl", "--labels", tmp_path / "labels.parquet")
    figure = found["concept"]["figure"]
    assert (found["concept"]["state"], figure["n"]) == ("holds", 40)
    assert figure["high"] - figure["low"] > 0.05  # so few say little, and the interval shows it
