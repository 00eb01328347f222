"""What a registry server's command is told, when it is called, and what its failure costs: nothing else."""

import json
import sys
from typing import Any

import pytest
from mlops_kit.base import notices
from mlops_kit.project import commits
from mlops_kit.project.repository import Repository
from mlops_kit.registry import mirror
from mlops_kit.runs import events

from tests.kit.builders import a_record
from tests.kit.small_repository import Small
from tests.kit.tips import change, clone_of, commit_all, kit, publish

FRAGMENT = "registry: {sync: sh mirror.sh}\n"
MIRROR = 'cp "$MLOPS_HISTORY" .mlops/told.json && echo "told ${MLOPS_HOOK:-by hand}"\n'


@pytest.fixture
def mirrored(gated: Repository) -> Repository:
    """With a registry connected, before the model is registered."""
    (gated.root / "mlops.d").mkdir()
    (gated.root / "mlops.d/mirror.yaml").write_text(FRAGMENT)
    (gated.root / "mirror.sh").write_text(MIRROR)
    gated.git("add", "--all")
    commit_all(gated, "Connect a registry")
    for words in ("train", "gate"):
        done = kit(gated, words)
        assert done.code == 0, done.said
    return gated


def told(repository: Repository) -> Any:
    return json.loads((repository.root / ".mlops/told.json").read_text())


def test_it_is_told_after_each_registration_and_promotion(mirrored: Repository) -> None:
    done = kit(mirrored, "register")
    assert "told after_register" in done.stderr
    (version,) = told(mirrored)["versions"]
    assert (version["version"], version["tag"]) == ("v0.1.0", "tips@v0.1.0")
    assert version["record"]["data"][0]["path"] == "bills.csv"
    assert version["figures"]["model.mae"]["value"] == version["record"]["metrics"]["model"]["mae"]
    assert (told(mirrored)["model"], told(mirrored)["stages"]) == ("tips", {})
    done = kit(mirrored, "promote", "v0.1.0", "--why", "a test")
    assert "told after_promote" in done.stderr
    assert told(mirrored)["stages"] == {"production": "v0.1.0"}


def test_a_job_of_its_own_tells_of_a_version(mirrored: Repository) -> None:
    kit(mirrored, "register")
    (mirrored.root / ".mlops/told.json").unlink()
    done = kit(mirrored, "register", "--tell", "v0.1.0")
    assert (done.code, done.stdout) == (0, "The hooks were told of tips@v0.1.0.\n")
    assert [one["version"] for one in told(mirrored)["versions"]] == ["v0.1.0"]
    assert mirrored.git("tag").split() == ["tips@v0.1.0"]
    assert "tips has no version 'v9.9.9'" in kit(mirrored, "register", "--tell", "v9.9.9").stderr
    done = kit(mirrored, "register", "--tell", "v0.1.0", "--hand-over")
    assert done.code == 2 and "give one of them" in done.stderr


def test_a_fresh_clone_tells_the_whole_history(mirrored: Repository) -> None:
    kit(mirrored, "register")
    change(mirrored, "mlops.yaml", "at_most: baseline.mae", "at_most: 0.001")
    mirrored.git("push", "--quiet", "origin", "main")
    for words in ("train", "gate", "register"):
        assert kit(mirrored, words).code in (0, 10)
    assert kit(mirrored, "runs", "--publish").code == 0
    clone = clone_of(mirrored, "colleague", "--depth=1", "--no-tags")
    (clone.root / ".mlops").mkdir()
    done = kit(clone, "registry", "sync", "--json")
    assert done.code == 0, done.said
    assert json.loads(done.stdout)["agrees"]
    assert "told by hand" in done.stderr
    assert [one["version"] for one in told(clone)["versions"]] == ["v0.1.0"]
    (rejected,) = told(clone)["rejected"]
    assert rejected["record"]["gates"][0]["status"] == "fail"


def test_a_server_that_is_down_delays_nothing_but_the_mirror(mirrored: Repository) -> None:
    (mirrored.root / "mirror.sh").write_text("echo connection refused >&2; exit 1\n")
    commit_all(mirrored, "Lose the server")
    kit(mirrored, "train")
    done = kit(mirrored, "register")
    assert done.code == 0, done.said
    assert "warning: The registry is behind: connection refused" in done.stderr
    assert mirrored.git("tag").split() == ["tips@v0.1.0"]
    done = kit(mirrored, "registry", "sync")
    assert done.code == 1
    assert done.stderr.endswith("`mlops-kit registry sync` brings it up to date later.\n")


def test_a_registry_that_says_otherwise_is_a_no(mirrored: Repository) -> None:
    (mirrored.root / "mirror.sh").write_text("echo champion is another; exit 10\n")
    commit_all(mirrored, "Differ")
    kit(mirrored, "train")
    done = kit(mirrored, "register")
    assert done.code == 0, done.said
    assert "warning: the registry differs" in done.stderr
    done = kit(mirrored, "registry", "sync")
    assert (done.code, done.stdout) == (10, "The registry differs from the tags; see above.\n")


def test_without_a_tier_it_says_how_to_get_one(gated: Repository) -> None:
    done = kit(gated, "registry", "sync")
    assert done.code == 1
    assert done.stderr.splitlines()[-2:] == [
        "mlops-kit: No registry is connected: mlops.yaml and mlops.d/ have no `registry.sync`.",
        "`mlops-new add registry` brings one; mlops-new's page docs/how-to/extend.md shows how to connect yours.",
    ]


BRING = """\
import json, os, subprocess

told = json.load(open(os.environ["MLOPS_HISTORY"]))
for version in told["versions"]:
    of_today = ["--config", told["dvc_config"], "--out", f".mlops/{version['version']}.txt"]
    subprocess.run([*told["dvc"], "get", "--rev", version["tag"], *of_today, told["root"], "model.txt"], check=True)
"""


def test_a_version_that_is_older_than_the_remote_can_be_brought(tips: Repository, dvc: str) -> None:
    """Its own commit knows of no remote, and the clone has no cache."""
    (tips.root / "mlops.d").mkdir()
    (tips.root / "mlops.d/mirror.yaml").write_text(f"registry: {{sync: {sys.executable} bring.py}}\n")
    (tips.root / "bring.py").write_text(BRING)
    tips.git("add", "--all")
    commit_all(tips, "Connect a registry")
    for words in ("train", "gate", "register"):
        assert kit(tips, words).code == 0
    publish(tips.root, dvc)
    tips.git("push", "--quiet", "origin", "tips@v0.1.0")
    clone = clone_of(tips, "colleague")
    (clone.root / ".mlops").mkdir()
    done = kit(clone, "registry", "sync")
    assert done.code == 0, done.said
    assert (clone.root / ".mlops/v0.1.0.txt").read_text() == (tips.root / "model.txt").read_text()


def test_a_rejected_record_that_cannot_be_read_is_left_out(project: Small) -> None:
    """Whoever may push may have put it onto the branch."""
    good = a_record(project.repository.commit()).text()
    files = {"rejected/7-1.json": good.encode(), "rejected/8-1.json": b"{", "rejected/9-1.json": b"\xff"}
    commits.append(project.repository, events.BRANCH, files, "x")
    notices.take()
    assert [run for run, _ in mirror.rejected(project.repository)] == ["7-1"]
    assert len(notices.take()) == 2
