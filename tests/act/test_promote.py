"""The workflow that promotes by hand: check, move, tell; and a drill of going back."""

import shutil

import pytest

from tests.act.flights import merge
from tests.act.forge import Forge
from tests.act.remotes import Folder

GREEN = {"check": "success", "move": "success", "tell": "success"}
INPUTS = {"version": "", "stage": "production", "why": "It was asked for."}


@pytest.fixture
def second(first: Forge) -> Forge:
    """With v0.2.0, and a hook that keeps what it is told."""
    hook = "hooks:\n  after_promote:\n    told: sh -c 'echo $MLOPS_STAGE $MLOPS_WAS $MLOPS_VERSION >> \"$TOLD\"'\n"
    first.merge("Tell a file", {"mlops.d/told.yaml": hook})
    merge(first, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.1")
    first.run("train.yml").must(jobs={"train": "success", "register": "success"})
    return first


def test_a_drill_in_the_workflow(second: Forge) -> None:
    forge, told = second, second.bare.parent / "told.txt"
    reach = {"TOLD": str(told)}
    for version in ("v0.1.0", "v0.2.0", ""):
        outcome = forge.run(
            "promote.yml", "workflow_dispatch", inputs=INPUTS | {"version": version}, env=reach
        )
        outcome.must(jobs=GREEN)
    stages = [name for name in forge.refs() if "#" in name]
    assert stages == [f"flights#production#{count}" for count in (1, 2, 3)]
    held = [forge.git_bare("rev-parse", f"refs/tags/{name}^{{}}") for name in stages]
    versions = [forge.git_bare("rev-parse", f"refs/tags/flights@{v}^{{}}") for v in ("v0.1.0", "v0.2.0")]
    assert held == [*versions, versions[0]]
    assert "By: ada" in forge.show("flights#production#3")
    assert "Kind: rollback" in forge.show("flights#production#3")
    assert told.read_text().splitlines() == [
        "production v0.1.0",
        "production v0.1.0 v0.2.0",
        "production v0.2.0 v0.1.0",
    ]


def test_what_the_remote_has_not_is_not_promoted(first: Forge, folder: Folder) -> None:
    shutil.rmtree(folder.folder / "files")
    outcome = first.run("promote.yml", "workflow_dispatch", inputs=INPUTS | {"version": "v0.1.0"})
    assert outcome.jobs["check"] == "failure"
    assert "move" not in outcome.jobs or outcome.jobs["move"] != "success"
    assert list(first.refs()) == ["flights@v0.1.0"]
