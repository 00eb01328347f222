"""Infers, checks, trains, evaluates and predicts many tables in one process.

`python live_in.py INFERENCE_FOLDER TREE` with the Python of a generated environment; TREE holds the rendered
`pipeline/`, `params.yaml` and `data/`. stdin: a JSON list of {name, file, target, time}. stdout: for each a
JSON line {name, task, notes, figures} or {name, refused} or {name, traceback}.
"""

import contextlib
import json
import os
import runpy
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

folder, tree = sys.argv[1:3]
sys.path[:0] = [folder, tree]
os.chdir(tree)
inference = runpy.run_path(f"{folder}/__main__.py", run_name="inference")

from pipeline import MODEL, checks, evaluate, predict, prepare, read, train  # after sys.path
from pipeline import schema as schemas

SAMPLE = Path("data/sample.csv")


def live_in(table: dict[str, Any]) -> dict[str, Any]:
    file = Path("data/raw").with_suffix(Path(table["file"]).suffix)
    shutil.copy(table["file"], file)
    try:
        inferred = inference["infer"](file, table["target"], table["time"], [])
    except (inference["DataRefused"], schemas.DataError) as error:
        return {"refused": str(error)}
    answers, notes = inferred["answers"], inferred["notes"]
    regression = answers["task"] == "regression"
    params = PARAMS.replace("Classifier", "Regressor") if regression else PARAMS
    Path("params.yaml").write_text(params, encoding="utf-8")
    schema = schemas.load()
    for path in (file, SAMPLE):
        problems = checks.check(read.read(path, schema), schema)
        assert not problems, (path, problems)
    sys.argv = ["prepare", "--data", str(file)]
    for stage in (prepare, train, evaluate):
        stage.main()
    found = json.loads(Path("metrics.json").read_text(encoding="utf-8"))
    predicted, unusual = predict.predict(MODEL / "model.joblib", SAMPLE, schema)
    assert not unusual, unusual
    assert len(predicted) == len(read.read(SAMPLE, schema))
    return {**answers, "notes": notes, "warnings": inferred["overview"]["warnings"], "metrics": found}


PARAMS = Path("params.yaml").read_text(encoding="utf-8")
for table in json.load(sys.stdin):
    with contextlib.redirect_stdout(sys.stderr):
        try:
            came = live_in(table)
        except Exception:  # noqa: BLE001  # the test prints the traceback
            came = {"traceback": traceback.format_exc()}
    print(json.dumps({"name": table["name"], **came}), flush=True)
