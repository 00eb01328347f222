"""Evidently and whylogs beside the monitor's verdict: what was planted is named, and nothing else."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.conftest import ROOT, Done, Once, must, run
from tests.tiers.browser import browsed
from tests.tiers.project import Project, check, commands, copied

BATCHES = ROOT / "scaffold/mlops_new/batches"
VIEWS = ".mlops/monitoring/views"
PLANTED = {"distance", "carrier"}
READ = """
import sys
from whylogs.core import DatasetProfileView

made = DatasetProfileView.deserialize(open(sys.argv[1], "rb").read())
column = made.get_column("distance")
print(column.get_metric("counts").n.value, column.get_metric("distribution").kll.value.get_n())
"""


@pytest.fixture
def with_drift(trained: Path, mlops_new: Path, once: Once, tmp_path: Path) -> Callable[[str], Project]:
    def made(into: Path, tool: str) -> None:
        """As its README says."""
        root = into / "flights"
        shutil.copytree(trained, root, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
        (root / ".venv").symlink_to(trained / ".venv")
        must([mlops_new, "add", f"drift={tool}"], root)
        for command in commands(root / f"drift/{tool}/README.md")[:2]:
            must([word.strip('"') for word in command.split()], root)
        must(["git", "add", "--all"], root)
        must(["git", "commit", "--quiet", f"--message=Add {tool}"], root)

    def project(tool: str) -> Project:
        folder = once(f"with-{tool}", lambda into: made(into, tool))
        return copied(folder / "flights", "drift", tool, tmp_path)

    return project


def watched(project: Project, window: Path) -> Done:
    kit = Path(sys.executable).with_name("mlops-kit")
    return run([kit, "monitor", "check", "--json", "--window", window], project.root)


def moved(done: Done) -> set[str]:
    return {one["column"] for one in json.loads(done.stdout)["data"]["drifts"]}


def like_the_reference(project: Project, changed: bool) -> Path:
    """Rows of the reference, drawn at random; `changed` in the columns of PLANTED."""
    files = [project.root / f"data/prepared/{part}.parquet" for part in ("train", "test")]
    rows = pa.concat_tables([parquet.read_table(file) for file in files])
    rows = rows.take(pa.array(np.sort(np.random.default_rng(3).permutation(len(rows))[:2000])))
    if changed:
        further = np.asarray(rows["distance"]) + 600
        carriers = ["UA" if one == "B6" else one for one in rows["carrier"].to_pylist()]
        for name, values in {"distance": further, "carrier": carriers}.items():
            rows = rows.set_column(rows.column_names.index(name), name, pa.array(values))
    file = project.root.parent / f"{'changed' if changed else 'alike'}.parquet"
    parquet.write_table(rows, file)
    return file


def test_evidently_shows_what_the_kit_found(with_drift: Callable[[str], Project]) -> None:
    project = with_drift("evidently")
    check(project)
    alike = watched(project, like_the_reference(project, changed=False))
    assert (alike.code, moved(alike), failed(project)) == (0, set(), set()), alike.said
    changed = watched(project, like_the_reference(project, changed=True))
    assert (changed.code, moved(changed)) == (10, PLANTED), changed.said
    assert failed(project) == PLANTED
    april = watched(project, BATCHES / "2013-04.parquet")
    assert april.code == 10, april.said
    assert failed(project) == moved(april) == {"temperature"}
    page = project.root / VIEWS / "evidently/report.html"
    assert 'src="http' not in page.read_text("utf-8")
    shown = browsed(page.as_uri(), "Inputs: drift", "Data Drift Summary")
    assert "2013-04.parquet, 2,400 of 4,000 rows" in shown
    assert "Drift is detected for 7.692% of columns (1 out of 13)" in shown
    _one_that_fails_changes_nothing(project, april)


def failed(project: Project) -> set[str]:
    """Columns whose test failed; the one of all columns fails with any."""
    report = json.loads((project.root / VIEWS / "evidently/report.json").read_text("utf-8"))
    tests = {one["metric_config"]["params"].get("column"): one["status"] for one in report["tests"]}
    assert len(tests) == 14
    found = {name for name, status in tests.items() if status != "SUCCESS"}
    assert (None in found) == bool(found - {None})
    return found - {None}


def _one_that_fails_changes_nothing(project: Project, before: Done) -> None:
    project.change("drift/evidently/view.py", "    given = Given.read()\n", '    sys.exit("no disk")\n')
    done = watched(project, BATCHES / "2013-04.parquet")
    assert "warning: the hook after_monitor of evidently failed." in done.stderr
    assert "no disk" in done.stderr
    assert done.code == before.code
    assert _timeless(done) == _timeless(before)
    assert not (project.root / VIEWS / "evidently").exists()


def _timeless(done: Done) -> Any:
    return json.loads(done.stdout) | {"at": ""}


def test_profiles_of_whylogs_add_up(with_drift: Callable[[str], Project]) -> None:
    project = with_drift("whylogs")
    check(project)
    alike = watched(project, like_the_reference(project, changed=False))
    assert (alike.code, above(project)) == (0, set()), alike.said
    changed = watched(project, like_the_reference(project, changed=True))
    assert (changed.code, moved(changed), above(project)) == (10, PLANTED, PLANTED), changed.said
    april = watched(project, BATCHES / "2013-04.parquet")
    assert above(project) == moved(april) == {"temperature"}
    windows = project.root / "data/profiles/windows"
    assert {file.name.rpartition("-")[0] for file in windows.iterdir()} == {"alike", "changed", "2013-04"}
    assert must(["git", "status", "--porcelain"], project.root) == ""
    python, both = project.tool_named("python"), project.root / ".mlops/both.bin"
    parts = [next(windows.glob(f"{name}-*.bin")) for name in ("alike", "2013-04")]
    said = must([python, "drift/whylogs/merge.py", *parts, "--out", both], project.root)
    assert [line.split()[0] for line in said.splitlines()] == ["2,000", "4,000", "6,000"]
    assert must([python, "-c", READ, both], project.root, WHYLOGS_NO_ANALYTICS="true") == "6000 6000\n"
    compared = must([python, "drift/whylogs/compare.py", *parts], project.root).splitlines()
    assert compared[0].split()[1:] == ["temperature", "(step)"]


def above(project: Project) -> set[str]:
    scores = json.loads((project.root / VIEWS / "whylogs/scores.json").read_text("utf-8"))["columns"]
    assert len(scores) == 13
    return {name for name, one in scores.items() if one["moved"]}
