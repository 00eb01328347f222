"""What owners do to their repositories: a name, and a function that does it to the folder."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

Edit = Callable[[Path], None]
EDITS: dict[str, Edit] = {}


def edit(function: Edit) -> Edit:
    EDITS[function.__name__.replace("_", " ")] = function
    return function


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text, (file, old)
    file.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8", newline="") as stream:
        stream.write(text)


@edit
def a_dependency_added(at: Path) -> None:
    change(at / "pyproject.toml", '  "joblib>=1.5",\n', '  "joblib>=1.5",\n  "lightgbm>=4",\n')


@edit
def dependencies_sorted_on_one_line(at: Path) -> None:
    file = at / "pyproject.toml"
    text = re.sub(
        r"dependencies = \[\n(.*?)\n\]",
        'dependencies = ["polars>=2.1"]',
        file.read_text(),
        count=1,
        flags=re.DOTALL,
    )
    file.write_text(text)


@edit
def a_tool_configured(at: Path) -> None:
    append(at / "pyproject.toml", '\n[tool.coverage.run]\nbranch = true\nsource = ["pipeline"]\n')


@edit
def a_stage_appended(at: Path) -> None:
    append(
        at / "dvc.yaml",
        "\n  explain:\n    cmd: python -m pipeline.explain\n    deps: [model]\n    outs: [explanation]\n",
    )


@edit
def stages_reordered(at: Path) -> None:
    file = at / "dvc.yaml"
    head, *stages = re.split(r"\n(?=  \w+:\n)", file.read_text())
    file.write_text("\n".join([head, *reversed(stages)]))


@edit
def parameters_tuned(at: Path) -> None:
    change(at / "params.yaml", "seed: ", "seed: 1")


@edit
def a_parameter_section_added(at: Path) -> None:
    append(at / "params.yaml", "\nexplain:\n  rows: 100  # of the test set\n")


@edit
def the_readme_rewritten(at: Path) -> None:
    (at / "README.md").write_text("# Delays\n\nOurs. Ask the data team.\n")


@edit
def the_readme_deleted(at: Path) -> None:
    (at / "README.md").unlink()


@edit
def the_readme_in_another_format(at: Path) -> None:
    (at / "README.md").rename(at / "README.rst")


@edit
def the_runbook_extended(at: Path) -> None:
    append(at / "docs/runbook.md", "\n## The upstream table is late\n\n    ssh warehouse ./status\n")


@edit
def the_docs_deleted(at: Path) -> None:
    shutil.rmtree(at / "docs")


@edit
def a_test_deleted(at: Path) -> None:
    (at / "tests/test_after_training.py").unlink()


@edit
def a_module_renamed(at: Path) -> None:
    (at / "pipeline/train.py").rename(at / "pipeline/fit.py")
    change(at / "dvc.yaml", "python -m pipeline.train", "python -m pipeline.fit")


@edit
def the_package_renamed(at: Path) -> None:
    (at / "pipeline").rename(at / "delays")
    for file in [at / "dvc.yaml", at / "mlops.yaml", *at.glob("delays/*.py"), *at.glob("tests/*.py")]:
        file.write_text(file.read_text().replace("pipeline", "delays"))


@edit
def code_reformatted(at: Path) -> None:
    for file in at.glob("pipeline/*.py"):
        file.write_text(file.read_text().replace("    ", "  "))


@edit
def code_refactored(at: Path) -> None:
    text = (at / "pipeline/evaluate.py").read_text()
    head, _, tail = text.partition("\ndef ")
    (at / "pipeline/judging.py").write_text("def " + tail)
    (at / "pipeline/evaluate.py").write_text(head + "\nfrom pipeline.judging import *\n")


@edit
def a_module_added(at: Path) -> None:
    (at / "pipeline/explain.py").write_text('"""Which columns matter."""\n\nprint("distance")\n')


@edit
def a_workflow_job_added(at: Path) -> None:
    append(
        at / ".github/workflows/ci.yml",
        "\n  docs:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo docs\n",
    )


@edit
def a_workflow_trigger_changed(at: Path) -> None:
    change(at / ".github/workflows/schedule.yml", "cron: ", "cron: '7 3 * * 1'  # was ")


@edit
def a_workflow_added(at: Path) -> None:
    (at / ".github/workflows/release.yml").write_text("name: release\non: push\njobs: {}\n")


@edit
def a_workflow_deleted(at: Path) -> None:
    (at / ".github/workflows/schedule.yml").unlink()


@edit
def gates_tightened(at: Path) -> None:
    change(at / "mlops.yaml", "mb_at_most: 50", "mb_at_most: 20")


@edit
def a_gate_added(at: Path) -> None:
    append(
        at / "mlops.yaml", "  calibrated:\n    kind: threshold\n    metric: model.brier\n    at_most: 0.2\n"
    )


@edit
def more_ignored(at: Path) -> None:
    append(at / ".gitignore", "notebooks/.ipynb_checkpoints/\n*.log\n")


@edit
def hooks_added(at: Path) -> None:
    append(at / ".pre-commit-config.yaml", "  - repo: local\n    hooks: []\n")


@edit
def a_notebook_added(at: Path) -> None:
    cell: dict[str, object] = {
        "cell_type": "code",
        "source": ["1 + 1"],
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    (at / "notebooks").mkdir()
    (at / "notebooks/look.ipynb").write_text(
        json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )


@edit
def a_picture_added_and_replaced_data(at: Path) -> None:
    (at / "docs/picture.png").write_bytes(bytes(range(256)) * 20)
    append(at / "data/sample.csv", "")
    change(at / "data/schema.yaml", "\n", "\n# ours now\n")


@edit
def odd_names_and_bytes(at: Path) -> None:
    (at / "docs/Überblick mit Leerzeichen.md").write_bytes("Größe\r\n".encode("latin-1"))
    (at / "docs/leer").write_bytes(b"")
    (at / "docs/no newline at the end").write_text("x")


@edit
def a_link_and_a_script(at: Path) -> None:
    (at / "run").write_text("#!/bin/sh\nexec uv run dvc repro\n")
    (at / "run").chmod(0o755)
    (at / "RUNBOOK.md").symlink_to("docs/runbook.md")


@edit
def a_file_of_the_base_made_executable(at: Path) -> None:
    (at / "pipeline/predict.py").chmod(0o755)


@edit
def lines_inserted_in_every_file(at: Path) -> None:
    for file in [*at.glob("pipeline/*.py"), *at.glob("tests/*.py")]:
        append(file, "\n# reviewed\n")


def six_at_once(at: Path) -> None:
    """One of each kind, together."""
    for function in (
        a_dependency_added,
        a_stage_appended,
        the_readme_deleted,
        a_module_renamed,
        a_workflow_job_added,
        code_reformatted,
    ):
        function(at)
