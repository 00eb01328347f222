"""Our actions in a repository that is not ours: a pipeline of awk and shell, and a workflow of its own."""

import json
from pathlib import Path

from tests.act.api import Api
from tests.act.forge import Forge
from tests.act.remotes import Folder, stock
from tests.conftest import must
from tests.kit.tips import start

CHECK_OUT = """\
      - name: Check out
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with:
          persist-credentials: false
      - name: Set up
        uses: mlops-new/mlops-new/actions/setup@v0.1.0
"""
WORKFLOW = f"""\
name: train
on: push
permissions: {{}}
jobs:
  train:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
{CHECK_OUT}      - name: Validate
        uses: mlops-new/mlops-new/actions/validate@v0.1.0
      - name: Train
        uses: mlops-new/mlops-new/actions/train@v0.1.0
      - name: Gate
        uses: mlops-new/mlops-new/actions/gate@v0.1.0
      - name: Report
        uses: mlops-new/mlops-new/actions/report@v0.1.0
      - name: Hand over
        uses: mlops-new/mlops-new/actions/register@v0.1.0
        with:
          hand-over: "true"
      - name: Keep
        uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f
        with:
          name: mlops-run
          path: mlops-run
  register:
    needs: train
    runs-on: ubuntu-24.04
    permissions:
      contents: write
    steps:
{CHECK_OUT}      - name: Take
        uses: actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131
        with:
          name: mlops-run
          path: mlops-run
      - name: Register
        uses: mlops-new/mlops-new/actions/register@v0.1.0
        with:
          from: mlops-run
"""


def test_awk_and_shell_become_versions(
    trained: Path, tmp_path: Path, api: Api, export: Path, folder: Folder
) -> None:
    work = tmp_path / "tips"
    start(work, str(trained / ".venv/bin/dvc"))
    forge = Forge(tmp_path / "forge", work, api, export)
    stock(folder, work)
    forge.merge("Train by GitHub", {".github/workflows/train.yml": WORKFLOW, ".dvc/config": folder.config()})
    _a_rule_that_refuses_the_tag_is_named(forge)
    forge.run("train.yml", attempt=2).must({"train": "success", "register": "success"})
    assert list(forge.refs()) == ["tips@v0.1.0"]
    made = json.loads(forge.show("tips@v0.1.0:record.json"))
    assert made["metrics"]["model"]["n"] == 80
    assert made["environment"]["python"] is None

    params = (work / "params.yaml").read_text("utf-8")
    forge.merge("Round more", {"params.yaml": params.replace("digits: 3", "digits: 1")})
    forge.run("train.yml").must({"train": "success", "register": "success"})
    assert list(forge.refs()) == ["tips@v0.1.0", "tips@v0.2.0"]
    assert must(["git", "status", "--porcelain"], work) == ""


def _a_rule_that_refuses_the_tag_is_named(forge: Forge) -> None:
    forge.reject("refs/tags/*", "Cannot create ref due to creations being restricted.")
    outcome = forge.run("train.yml")
    outcome.must(jobs={"train": "success", "register": "failure"})
    assert "A rule of origin refuses the tag tips@v0.1.0" in outcome.log
    assert "bypass list" in outcome.log
    assert forge.refs() == {}
    forge.allow()
