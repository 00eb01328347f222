"""`mlops-kit register`: record, card and tag; all of it or nothing, and nothing twice."""

import json
import shutil
from pathlib import Path

import pytest
from mlops_kit.base import notices
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Repository
from mlops_kit.registry import register as registering
from mlops_kit.registry.version_commit import Registered
from mlops_kit.runs import events
from mlops_kit.versions import record, records
from mlops_kit.versions import version as versions

from tests.conftest import must, python_of
from tests.kit.tips import change, clone_of, kit, means
from tests.kit.training.test_train import silent


def register(repository: Repository, bump: str = "minor") -> Registered:
    return registering.local(repository, means(repository), bump, silent)


def again(repository: Repository) -> None:
    """Trains and judges what is there now."""
    for words in ("train", "gate"):
        done = kit(repository, words)
        assert done.code == 0, done.said


def tags(repository: Repository) -> list[str]:
    return must(["git", "tag"], repository.root).split()


def test_a_version_holds_everything_and_no_branch_moves(gated: Repository, dvc: str) -> None:
    before = must(["git", "ls-remote", "origin", "refs/heads/*"], gated.root)
    done = register(gated)
    assert (done.outcome, done.tag, done.published) == ("registered", "tips@v0.1.0", True)
    assert must(["git", "ls-remote", "origin", "refs/heads/*"], gated.root) == before
    assert gated.commit(f"{done.tag}^") == gated.commit()
    changed = must(["git", "diff", "--name-only", "HEAD", done.tag], gated.root).split()
    added = ["MODEL_CARD.md", "bom.cdx.json", "dvc.lock", "metrics.json", "provenance.json", "record.json"]
    assert changed == added

    clone = clone_of(gated, "clone", "--quiet")
    must(["git", "checkout", "--quiet", done.tag], clone.root)
    must([dvc, "pull", "--quiet"], clone.root)
    for name in ("bills.csv", "model.txt", "predictions.csv", "metrics.json"):
        assert (clone.root / name).read_bytes() == (gated.root / name).read_bytes()
    assert "up to date" in must([dvc, "repro"], clone.root)


def test_the_record_has_all_its_fields(gated: Repository) -> None:
    done = register(gated)
    found = record.parse(gated.show(done.tag, record.FILE) or "", "it")
    assert found.version == "v0.1.0"
    assert found.trigger.actor == "Test"  # as Git has it
    assert found.code.commit == gated.commit()
    assert {file.path for file in found.code.files} == {
        "evaluate.sh", "predict.sh", "prepare.sh", "train.sh"
    }  # fmt: skip
    ((path, rows),) = ((file.path, file.rows) for file in found.data)
    assert (path, rows) == ("bills.csv", 400)
    assert found.parameters == {"digits": 3}
    assert found.metrics["model"]["n"] == 80
    assert found.environment.files.keys() == {"train.sh"}
    assert found.environment.python is None
    assert [gate["status"] for gate in found.gates] == ["pass"]
    assert found.trigger.event == "manual"
    assert "first version" in found.description.lower()
    assert found.since is None
    card = gated.show(done.tag, record.CARD) or ""
    assert "tips" in card
    assert "v0.1.0" in card


def test_gto_reads_the_version(gated: Repository, trained: Path) -> None:
    register(gated)
    gto = python_of(trained).with_name("gto")
    shown = json.loads(must([gto, "show", "tips", "--json"], gated.root))
    assert [entry["version"] for entry in shown] == ["v0.1.0"]


def test_what_gto_assigned_is_read_and_what_it_registered_is_left_out(
    gated: Repository, trained: Path
) -> None:
    """A version of GTO's has no record; its number is not given again."""
    gto = python_of(trained).with_name("gto")
    must([gto, "register", "tips", "--version", "v0.4.0"], gated.root)
    assert register(gated).version == "v0.5.0"
    must([gto, "assign", "tips", "--version", "v0.5.0", "--stage", "production"], gated.root)
    must([gto, "register", "tips", "--version", "v0.6.0", "HEAD~1"], gated.root)
    found = versions.in_stage(gated, "tips", "production")
    assert found and found.name == "v0.5.0"
    notices.take()
    assert [one.name for one in versions.versions(gated, "tips")] == ["v0.5.0"]
    assert [said.split()[0] for said in notices.take()] == ["tips@v0.4.0", "tips@v0.6.0"]


def test_the_same_again_registers_nothing(gated: Repository) -> None:
    register(gated)
    done = register(gated)
    assert (done.outcome, done.version) == ("identical", "v0.1.0")
    assert tags(gated) == ["tips@v0.1.0"]


def test_a_tag_of_others_that_says_it_is_the_same_keeps_no_model_out(gated: Repository) -> None:
    """Who may push knows the result of a pull request before it is merged."""
    register(gated)
    trailer = gated.git("log", "-1", "--format=%B", "tips@v0.1.0").strip().splitlines()[-1]
    assert trailer.startswith("Identity: ")
    gated.git("tag", "--annotate", f"--message=x\n\n{trailer}", "tips@v0.0.1", "HEAD")
    gated.git("tag", "--annotate", f"--message=x\n\n{trailer}", "tips@v0.0.2", "tips@v0.1.0^{commit}")
    gated.git("tag", "--delete", "tips@v0.1.0")
    gated.git("push", "--quiet", "origin", "tips@v0.0.1", "tips@v0.0.2", ":refs/tags/tips@v0.1.0")
    done = register(gated)
    assert done.outcome == "registered"


def test_going_back_is_said_to_be_identical(gated: Repository) -> None:
    register(gated)
    change(gated, "params.yaml", "digits: 3", "digits: 2")
    again(gated)
    second = register(gated)
    assert second.version == "v0.2.0"
    assert "digits" in (gated.show(second.tag, record.FILE) or "")
    change(gated, "params.yaml", "digits: 2", "digits: 3")
    again(gated)
    done = register(gated)
    assert (done.outcome, done.version) == ("identical", "v0.1.0")
    assert tags(gated) == ["tips@v0.1.0", "tips@v0.2.0"]


def test_after_it_one_command_makes_the_workspace_clean(gated: Repository) -> None:
    commit = "git add dvc.lock && git commit --message 'Train v0.1.0'"
    says = f"Part of v0.1.0 and not committed yet: dvc.lock. Run `{commit}`.\n"
    assert kit(gated, "register").stdout.endswith(says)
    assert kit(gated, "register").stdout.endswith(says)  # "identical to": it waits still
    must(["sh", "-c", commit], gated.root)
    assert gated.dirty() == []
    done = kit(gated, "register")
    assert (done.code, "not committed" in done.said) == (0, False), done.said


def test_another_environment_alone_trains_and_is_a_version(gated: Repository) -> None:
    register(gated)
    (gated.root / "tools.txt").write_text("awk 1\n")
    must(["git", "add", "tools.txt"], gated.root)
    change(gated, "mlops.yaml", "environment: [train.sh]", "environment: [tools.txt]")
    done = kit(gated, "train", "--json")
    assert set(json.loads(done.stdout)["stages"].values()) == {"ran"}
    assert kit(gated, "gate").code == 0
    assert register(gated).version == "v0.2.0"


def test_two_at_once_lose_nothing(gated: Repository, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(gated.root, other, symlinks=True)
    change(Repository(other), "params.yaml", "digits: 3", "digits: 1")
    again(Repository(other))
    first, second = register(gated), register(Repository(other))
    assert {first.version, second.version} == {"v0.1.0", "v0.2.0"}
    listed = must(["git", "ls-remote", "--tags", "--refs", "origin"], gated.root)
    assert len(listed.splitlines()) == 2


def test_a_number_that_was_taken_meanwhile_is_not_taken_twice(
    gated: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one pushes between our look and our push."""
    fetch, waits = versions.fetch, iter([True])

    def late(repository: Repository, model: str) -> None:
        fetch(repository, model)
        if next(waits, False):
            must(["git", "push", "--quiet", "origin", "HEAD:refs/tags/tips@v0.1.0"], gated.root)

    monkeypatch.setattr(versions, "fetch", late)
    assert register(gated).version == "v0.2.0"


@pytest.mark.parametrize("what", ["file", "new"])
def test_a_dirty_tree_is_refused(what: str, gated: Repository) -> None:
    path = {"file": "params.yaml", "new": "notes.txt"}[what]
    with (gated.root / path).open("a") as stream:
        stream.write("# more\n")
    with pytest.raises(KitError, match=f"Not committed: {path}"):
        register(gated)
    assert tags(gated) == []


def test_a_model_of_another_commit_is_refused(gated: Repository) -> None:
    change(gated, "params.yaml", "digits: 3", "digits: 2")
    with pytest.raises(KitError, match="not trained from this commit") as refused:
        register(gated)
    assert "digits 3 -> 2" in refused.value.what


@pytest.mark.parametrize("path", ["metrics.json", "predictions.csv", "model.txt"])
def test_a_result_that_was_altered_is_refused(path: str, gated: Repository) -> None:
    file = gated.root / path
    text = file.read_text()
    file.unlink()  # it may be a link into the cache
    file.write_text(text.replace("0.", "0.0", 1) + "\n")
    done = kit(gated, "register")
    assert done.code == 1, done.said
    assert f"mlops-kit: {path} changed after the training. The gates judged another result." in done.stderr
    assert tags(gated) == []
    again(gated)
    assert register(gated).version == "v0.1.0"


def test_a_field_that_is_missing_is_refused(gated: Repository) -> None:
    change(gated, "mlops.yaml", "artifacts: [model.txt]", "artifacts: [model.bin]")
    assert kit(gated, "gate").code == 0
    with pytest.raises(KitError, match=r"model\.bin: an artifact"):
        register(gated)
    assert tags(gated) == []


def test_a_model_that_nobody_judged_is_refused(gated: Repository) -> None:
    shutil.rmtree(gated.root / ".mlops")
    with pytest.raises(KitError, match="gates have not judged"):
        register(gated)


def test_a_closed_gate_leaves_a_record_and_no_tag(gated: Repository) -> None:
    change(gated, "mlops.yaml", "at_most: baseline.mae", "at_most: 0.0001")
    assert kit(gated, "train").code == 0
    assert kit(gated, "gate").code == 10
    done = kit(gated, "register")
    assert done.code == 10, done.said
    assert "close-enough did not pass" in done.stdout
    assert tags(gated) == []
    (kept,) = (gated.root / events.REJECTED).iterdir()
    assert record.parse(kept.read_text(), "it").version is None


def test_with_the_remote_down_nothing_is_registered_and_a_retry_works(gated: Repository) -> None:
    storage = gated.root.parent / "storage"
    shutil.rmtree(storage)
    storage.write_text("not a folder")
    with pytest.raises(
        KitError, match=r"`dvc push` failed with the remote storage \(\.\./\.\./storage\):\nERROR: "
    ):
        register(gated)
    assert tags(gated) == []
    storage.unlink()
    origin = gated.root.parent / "origin.git"
    origin.rename(origin.with_name("gone"))
    with pytest.raises(KitError):
        register(gated)
    assert tags(gated) == []
    origin.with_name("gone").rename(origin)
    assert register(gated).version == "v0.1.0"


RULE = """\
#!/bin/sh
while read was now ref; do
  case $ref in refs/tags/*) ;; *) continue;; esac
  echo "error: GH013: Repository rule violations found for $ref."
  printf '%s\\n\\n' "Review all repository rules at https://github.com/acme/tips/rules" \\
    "- Cannot create ref due to creations being restricted."
  exit 1
done >&2
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RULE, "Cannot create ref due to creations being restricted."),
        ("#!/bin/sh\nexit 1\n", "failed to push some refs"),
    ],
    ids=["GitHub", "another server"],
)
@pytest.mark.parametrize("when", ["pre-receive", "update"])
def test_a_rule_that_refuses_the_tag_is_answered_and_lifted(
    when: str, text: str, says: str, gated: Repository
) -> None:
    hook = gated.root.parent / "origin.git/hooks" / when
    hook.write_text(
        text.replace("while read was now ref; do", 'for ref in "$1"; do') if when == "update" else text
    )
    hook.chmod(0o755)
    for _ in range(2):
        done = kit(gated, "register")
        assert done.code == 1, done.said
        assert "mlops-kit: A rule of origin refuses the tag tips@v0.1.0:\n" in done.stderr
        assert says in done.stderr
        assert "target `refs/tags/tips@*`, add the app `GitHub Actions` to the bypass list" in done.stderr
        assert (tags(gated), must(["git", "ls-remote", "--tags", "origin"], gated.root)) == ([], "")
    hook.unlink()
    done = kit(gated, "register")
    assert (done.code, done.stdout.splitlines()[0]) == (0, "Registered tips@v0.1.0."), done.said
    clone = clone_of(gated, "colleague")
    (version,) = json.loads(kit(clone, "versions", "--json").stdout)
    assert version["version"] == "v0.1.0"


def test_without_an_origin_it_says_how_to_publish(gated: Repository) -> None:
    must(["git", "remote", "remove", "origin"], gated.root)
    done = register(gated)
    assert not done.published
    assert "git push origin tips@v0.1.0" in done.says


def test_an_origin_without_a_dvc_remote_registers_nothing(gated: Repository, dvc: str) -> None:
    must([dvc, "remote", "remove", "storage"], gated.root)
    must(["git", "commit", "--quiet", "--all", "--message=No remote"], gated.root)
    again(gated)
    with pytest.raises(KitError, match="no remote"):
        register(gated)
    assert tags(gated) == []


def test_the_version_after_another_says_since_when(gated: Repository) -> None:
    register(gated)
    change(gated, "params.yaml", "digits: 3", "digits: 2")
    again(gated)
    done = register(gated, "major")
    assert done.version == "v1.0.0"
    found = records.read(gated, versions.find(gated, "tips", "v1.0.0"))
    assert found
    assert found.since == "v0.1.0"
    assert "digits" in found.description
    assert "Change params.yaml" in found.description
