"""`mlops-kit promote` and `rollback`: seconds, no training, and whatever goes wrong, the stage holds what it held."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Repository
from mlops_kit.versions import stages
from mlops_kit.versions import version as versions

from tests.conftest import must, python_of
from tests.kit.registry.promotions import WHY, a_second_later, in_production, promote, refused, rollback, tags
from tests.kit.tips import clone_of, kit

# ---- what is done ----


def test_promote_and_roll_back_with_a_history(three: Repository) -> None:
    trained = (three.root / "dvc.lock").read_bytes()
    done = promote(three, "v0.2.0")
    assert (done.outcome, done.version, done.was, done.published) == ("promoted", "v0.2.0", "", True)
    assert done.tag == "tips#production#1"
    assert done.checked == ("model.txt",)
    promote(three, "v0.3.0")
    back = rollback(three)
    assert (back.outcome, back.version, back.was) == ("rolled back", "v0.2.0", "v0.3.0")

    colleague = clone_of(three, "colleague", "--no-tags")
    assert in_production(colleague) == ""
    versions.fetch(colleague, "tips")
    held = stages.stays(stages.assignments(colleague, "tips"), "production")
    known = {version.commit: version.name for version in versions.versions(colleague, "tips")}
    assert [(known[stay.commit], stay.put.who, stay.put.why, stay.put.kind) for stay in held] == [
        ("v0.2.0", "Test", WHY, "promotion"),
        ("v0.3.0", "Test", WHY, "promotion"),
        ("v0.2.0", "Test", "It fails.", "rollback"),
    ]
    assert [stay.until for stay in held] == [held[1].since, held[2].since, None]
    assert (three.root / "dvc.lock").read_bytes() == trained


def test_a_second_rollback_goes_further_back(three: Repository) -> None:
    for version in ("v0.1.0", "v0.2.0", "v0.3.0"):
        promote(three, version)
    assert rollback(three).version == "v0.2.0"
    assert rollback(three).version == "v0.1.0"
    said = refused(three, "rollback", "--why", "x")
    assert "production cannot be rolled back: v0.1.0 is the first version in it." in said
    promote(three, "v0.3.0")
    assert rollback(three).version == "v0.1.0"


def test_the_same_again_changes_nothing(three: Repository) -> None:
    promote(three, "v0.2.0")
    before = tags(three)
    assert promote(three, "0.2.0").outcome == "unchanged"
    assert tags(three) == before


def test_stages_are_apart(three: Repository) -> None:
    promote(three, "v0.1.0")
    assert promote(three, "v0.2.0", "staging").tag == "tips#staging#2"
    assert in_production(three) == "v0.1.0"
    assert "Stages: production, staging" in refused(three, "rollback", "--stage", "prod", "--why", "x")


def test_a_stage_that_nobody_declared_is_refused(three: Repository) -> None:
    said = refused(three, "promote", "v0.1.0", "--stage", "prodution", "--why", "x")
    assert "tips has no stage 'prodution'.\nStages: production, staging. " in said
    assert "Another one is declared under `stages` in mlops.yaml." in said
    means = three.root / "mlops.yaml"
    undeclared = means.read_text()
    means.write_text(undeclared + "stages: [canary/eu]\n")
    assert promote(three, "v0.1.0", "canary/eu").tag == "tips#canary/eu#1"
    assert "Stages: canary/eu, production." in refused(
        three, "promote", "v0.1.0", "--stage", "staging", "--why", "x"
    )
    means.write_text(undeclared)
    assert promote(three, "v0.2.0", "canary/eu").was == "v0.1.0"
    means.write_text(undeclared + "stages: [a b]\n")
    assert "mlops.yaml: stages.0 is 'a b': " in refused(three, "promote", "v0.1.0", "--why", "x")


def test_without_origin_it_is_local_and_says_how_to_publish(three: Repository) -> None:
    must(["git", "remote", "remove", "origin"], three.root)
    done = kit(three, "promote", "v0.1.0", "--why", "First.", "--json")
    assert done.code == 0, done.said
    said = json.loads(done.stdout)
    assert (said["outcome"], said["published"]) == ("promoted", False)
    assert "git push origin 'tips#production#1'" in said["says"]


def test_hooks_run_afterwards_and_cannot_undo_it(three: Repository) -> None:
    (three.root / "mlops.d").mkdir()
    (three.root / "mlops.d/mirror.yaml").write_text(
        "hooks:\n  after_promote:\n    mirror: sh -c 'echo $MLOPS_WAS $MLOPS_VERSION $MLOPS_STAGE > told'\n    zz: 'false'\n"
    )
    done = promote(three, "v0.1.0")
    assert done.failed_hooks == ("zz",)
    promote(three, "v0.2.0")
    assert (three.root / "told").read_text() == "v0.1.0 v0.2.0 production\n"
    assert in_production(three) == "v0.2.0"
    ran = kit(three, "runs", "--stage", "promote", "--json")
    assert len(json.loads(ran.stdout)) == 2


def test_in_parts_as_a_workflow_does(three: Repository) -> None:
    promote(three, "v0.1.0")
    before = tags(three)
    assert promote(three, "v0.2.0", part="check").outcome == "checked"
    assert tags(three) == before
    shutil.rmtree(three.root.parent / "storage")  # the job that moves has no login
    assert promote(three, "v0.2.0", part="move", expect="v0.1.0").outcome == "promoted"
    assert promote(three, "v0.2.0", part="after").outcome == "told"
    with pytest.raises(KitError, match=r"production holds v0\.2\.0, and not v0\.1\.0"):
        promote(three, "v0.3.0", part="move", expect="v0.1.0")


# ---- GTO ----


def test_gto_reads_what_we_write(three: Repository, trained: Path) -> None:
    promote(three, "v0.3.0")
    promote(three, "v0.1.0", "staging")
    rollback_to = promote(three, "v0.2.0")
    assert rollback_to.tag == "tips#production#3"
    gto = python_of(trained).with_name("gto")
    shown = json.loads(must([gto, "show", "tips", "--json"], three.root))
    held = {entry["version"]: [stage["stage"] for stage in entry["stages"]] for entry in shown}
    assert "production" in held["v0.2.0"]
    assert held["v0.1.0"] == ["staging"]
    assert must([gto, "show", "tips#production", "--ref"], three.root).strip() == "tips@v0.2.0"
    history = json.loads(must([gto, "history", "tips", "--json"], three.root))
    assert len([event for event in history if event["event"] == "assignment"]) == 3


def test_we_read_what_gto_writes(three: Repository, trained: Path) -> None:
    gto = python_of(trained).with_name("gto")

    def say(*words: str) -> None:
        must([gto, *words], three.root)
        must(["git", "push", "--quiet", "origin", "--tags"], three.root)
        shown = must([gto, "show", "tips#production", "--ref"], three.root).strip()
        assert shown.removeprefix("tips@") == in_production(three)

    say("assign", "tips", "--version", "v0.1.0", "--stage", "production")
    assert in_production(three) == "v0.1.0"
    a_second_later()
    say("assign", "tips", "--version", "v0.2.0", "--stage", "production")
    assert rollback(three).version == "v0.1.0"
    a_second_later(2)
    say("deprecate", "tips", "v0.1.0", "production")
    assert in_production(three) == "v0.2.0"  # as GTO has it: what is taken back leaves the one before
    a_second_later()
    say("deprecate", "tips", "v0.2.0")
    assert in_production(three) == ""
    assert [version.name for version in versions.versions(three, "tips")] == ["v0.1.0", "v0.3.0"]


# ---- a drill ----


def test_a_drill(three: Repository) -> None:
    """Promotes, rolls back, and asks each time what production answers."""

    def answers() -> str:
        """As a server does that follows the stage: pull, predict the probe rows."""
        (three.root / "probe.csv").write_text("key,bill,tip\nb1,100,0\nb2,33,0\n")
        version = in_production(three)
        folder = three.root.parent / f"serving-{version}-{len(tags(three)[0])}"
        done = kit(three, "pull", version, "--into", str(folder))
        assert done.code == 0, done.said
        must(["sh", "predict.sh", three.root / "probe.csv", "--out", "answers.csv"], folder)
        return (folder / "answers.csv").read_text()

    said = {}
    for version in ("v0.1.0", "v0.3.0"):
        promote(three, version)
        said[version] = answers()
    assert said["v0.1.0"] != said["v0.3.0"]
    begin = datetime.now(UTC)
    rollback(three)
    assert (datetime.now(UTC) - begin).total_seconds() < 20
    assert answers() == said["v0.1.0"]
