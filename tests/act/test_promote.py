"""Who is told of a new version, and the workflow that promotes by hand: check, move, tell; a drill of going back."""

import json
import shutil

from tests.act.flights import GREEN as TRAINED
from tests.act.flights import merge, tell_files, told
from tests.act.forge import Forge
from tests.act.remotes import Folder

GREEN = {"check": "success", "move": "success", "tell": "success"}
INPUTS = {"version": "", "stage": "production", "why": "It was asked for."}


def test_a_new_version_is_told_and_a_drill_promotes_it(first: Forge) -> None:
    """The job that registers runs none of the repository's commands: a job of its own tells hooks and registry."""
    forge = first
    tell_files(forge)
    merge(forge, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.1")
    outcome = forge.run("train.yml")
    outcome.must(jobs=TRAINED | {"tell": "success"})
    assert outcome.outputs["register"]["register"]["untold"] == "true"
    assert told(forge, "REGISTERED").read_text() == "v0.2.0 flights@v0.2.0 tell\n"
    history = json.loads(told(forge, "MIRROR").read_text())
    assert [one["version"] for one in history["versions"]] == ["v0.1.0", "v0.2.0"]
    assert "flights@v0.2.0 stands; of its hooks failed: broken. See above." in outcome.warnings

    for version in ("v0.1.0", "v0.2.0", ""):
        forge.run("promote.yml", "workflow_dispatch", inputs=INPUTS | {"version": version}).must(jobs=GREEN)
    stages = [name for name in forge.refs() if "#" in name]
    assert stages == [f"flights#production#{count}" for count in (1, 2, 3)]
    held = [forge.git_bare("rev-parse", f"refs/tags/{name}^{{}}") for name in stages]
    versions = [forge.git_bare("rev-parse", f"refs/tags/flights@{v}^{{}}") for v in ("v0.1.0", "v0.2.0")]
    assert held == [*versions, versions[0]]
    assert "By: ada" in forge.show("flights#production#3")
    assert "Kind: rollback" in forge.show("flights#production#3")
    assert told(forge, "PROMOTED").read_text().splitlines() == [
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
