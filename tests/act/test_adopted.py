"""A folder of notebooks, adopted: its merge trains."""

import json
import shutil
from pathlib import Path

import yaml

from tests.act.api import Api
from tests.act.forge import Forge
from tests.act.remotes import Folder, stock
from tests.conftest import Once
from tests.scaffold import adopted


def test_a_merge_of_a_notebook_trains(
    mlops_new: Path, once: Once, tmp_path: Path, api: Api, export: Path, folder: Folder
) -> None:
    work = tmp_path / "house-prices"
    shutil.copytree(adopted.notebooks(mlops_new, once).root, work, symlinks=True)
    forge = Forge(tmp_path / "forge", work, api, export)
    stock(folder, work)
    forge.merge("Train by DVC", {".dvc/config": folder.config()})
    notebook = work / "notebooks/House prices.ipynb"
    changed = notebook.read_text("utf-8").replace("n_estimators=10", "n_estimators=20")
    merged = forge.merge("More trees", {"notebooks/House prices.ipynb": changed})

    forge.run("mlops-train.yml").must({"train": "success", "register": "success"})

    assert list(forge.refs()) == ["house-prices@v0.1.0"]
    record = json.loads(forge.show("house-prices@v0.1.0:record.json"))
    assert record["code"]["commit"] == merged
    assert record["metrics"]["r2_score"] > 0.9
    assert [file["path"] for file in record["artifacts"]] == ["notebooks/forest.pkl"]
    assert record["artifacts"][0]["md5"] != adopted_model(work)
    assert forge.api.unknown == []


def adopted_model(work: Path) -> str:
    """The model that adopting made."""
    outs = yaml.safe_load((work / "dvc.lock").read_text("utf-8"))["stages"]["train"]["outs"]
    return next(str(out["md5"]) for out in outs if out["path"] == "notebooks/forest.pkl")
