"""Adopted repositories on GitHub: a folder of notebooks trains by a merge, a script with the kit in it by a pull request too."""

import json
import shutil
from pathlib import Path

import yaml

from tests.act.api import Api
from tests.act.forge import Forge
from tests.act.remotes import Folder, stock
from tests.conftest import Once, must
from tests.scaffold.adopt import adoptions, repositories


def test_a_merge_of_a_notebook_trains(
    mlops_new: Path, once: Once, tmp_path: Path, api: Api, export: Path, folder: Folder
) -> None:
    work = tmp_path / "house-prices"
    shutil.copytree(adoptions.notebooks(mlops_new, once).root, work, symlinks=True)
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


def test_a_pull_request_is_judged_by_the_kit_in_the_repository(
    mlops_new: Path, once: Once, tmp_path: Path, api: Api, export: Path, folder: Folder
) -> None:
    adoptions.warm(once)
    work = repositories.small(tmp_path / "mean")
    must([mlops_new, "adopt", "--kit", "vendored"], work, **adoptions.OFFLINE)
    must(["git", "commit", "--quiet", "--message=Train by DVC"], work)
    workflows = "".join(file.read_text("utf-8") for file in work.glob(".github/workflows/*.yml"))
    assert "mlops-new/mlops-new" not in workflows
    forge = Forge(tmp_path / "forge", work, api, export)
    stock(folder, work)
    forge.merge("Train by GitHub", {".dvc/config": folder.config()})

    forge.git("switch", "--quiet", "--create", "worse")
    code = (work / "train.py").read_text("utf-8")
    forge.commit("Guess", {"train.py": code.replace("0.25", "0.75")})
    number = forge.pull_request("worse")
    forge.run("mlops-ci.yml", "pull_request", pull=number).must({"train": "failure", "comment": "success"})
    (comment,) = forge.api.comments_of(number)
    assert "mean: not all gates pass" in comment["body"]
    assert list(forge.refs()) == []

    forge.merge("Think", {"train.py": code.replace("0.25", "0.125")})
    forge.run("mlops-train.yml").must({"train": "success", "register": "success"})
    assert list(forge.refs()) == ["mean@v0.1.0"]
    assert json.loads(forge.show("mean@v0.1.0:record.json"))["metrics"] == {"mae": 0.125}
    assert forge.api.unknown == []


def adopted_model(work: Path) -> str:
    """The model that adopting made."""
    outs = yaml.safe_load((work / "dvc.lock").read_text("utf-8"))["stages"]["train"]["outs"]
    return next(str(out["md5"]) for out in outs if out["path"] == "notebooks/forest.pkl")
