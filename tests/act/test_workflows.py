"""Workflow files are read as GitHub reads them, not by YAML 1.1."""

from pathlib import Path

from tests.act import workflows

TEXT = """\
name: odd
on: push
env:
  ANSWER: yes
  MODE: off
  RUN: true
  AT: 12:30
jobs:
  no:
    concurrency: {group: on, queue: max}
    runs-on: ubuntu-24.04
    steps:
      - {name: y, run: echo}
"""


def test_on_and_yes_are_text(tmp_path: Path) -> None:
    (tmp_path / "odd.yml").write_text(TEXT)
    content = workflows.read(tmp_path / "odd.yml")
    assert (content["on"], list(content["jobs"])) == ("push", ["no"])
    assert content["env"] == {"ANSWER": "yes", "MODE": "off", "RUN": True, "AT": "12:30"}


def test_the_copy_for_act_differs_in_the_queue_alone(tmp_path: Path) -> None:
    file = tmp_path / "odd.yml"
    file.write_text(TEXT)
    workflows.copy_for_act([file], "acme/flights", tmp_path / "copy")
    content = workflows.read(file)
    del content["jobs"]["no"]["concurrency"]["queue"]
    assert workflows.read(tmp_path / "copy/.github/workflows/odd.yml") == content
