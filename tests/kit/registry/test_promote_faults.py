"""Whatever goes wrong in a promotion or a rollback, the stage holds what it held."""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project import commits
from mlops_kit.project.repository import Repository
from mlops_kit.registry import assign
from mlops_kit.versions import stages
from mlops_kit.versions import version as versions

from tests.conftest import must, python_of
from tests.kit.registry.promotions import WHY, in_production, promote, refused, tags
from tests.kit.small_repository import started
from tests.kit.tips import clone_of, kit


@pytest.fixture
def running(three: Repository) -> Repository:
    """v0.2.0 is in production."""
    promote(three, "v0.2.0")
    return three


Fault = Callable[[Repository], object]


def remote_file(repository: Repository, version: str) -> Path:
    lock = repository.lock(f"tips@{version}")
    assert lock
    md5 = lock.outs["model.txt"].md5
    return repository.root.parent / "storage/files/md5" / md5[:2] / md5[2:]


def _missing(repository: Repository) -> None:
    remote_file(repository, "v0.3.0").unlink()


def _altered(repository: Repository) -> None:
    path = remote_file(repository, "v0.3.0")
    path.chmod(0o644)
    path.write_text("0.999\n")


def _unreachable(repository: Repository) -> None:
    shutil.move(repository.root.parent / "storage", repository.root.parent / "elsewhere")


def _no_dvc(repository: Repository) -> None:
    """As a plug-in that is missing, or a login that expired."""
    file = repository.root / ".dvc/config"
    file.write_text(file.read_text().replace("../storage", "s3://nobody/x"))
    file = repository.root / "mlops.yaml"
    file.write_text(file.read_text().replace("bin/dvc", "bin/dvc --no-such-option"))


def _no_origin(repository: Repository) -> None:
    must(["git", "remote", "set-url", "origin", "../nowhere.git"], repository.root)


def _moved_tag(repository: Repository) -> None:
    _retag(repository, "tips@v0.1.0")


def _edited_record(repository: Repository) -> None:
    """On the same code, with everything else as it was."""
    tag = "tips@v0.3.0"
    files = {
        path: (repository.show(tag, path) or "").encode()
        for path in ("dvc.lock", "metrics.json", "record.json")
    }
    files["record.json"] = files["record.json"].replace(b'"digits": 1', b'"digits": 4')
    _retag(repository, commits.commit(repository, repository.commit(f"{tag}^"), files, "Look better"))


def _to_main(repository: Repository) -> None:
    _retag(repository, "main")


def _retag(repository: Repository, to: str) -> None:
    must(["git", "tag", "--force", "--annotate", "--message=x", "tips@v0.3.0", f"{to}^{{}}"], repository.root)
    must(["git", "push", "--quiet", "--force", "origin", "tips@v0.3.0"], repository.root)


def test_what_another_remote_gives_altered_is_seen_by_its_hash(running: Repository) -> None:
    """DVC looks at the bytes of a folder itself, and takes those of a bucket as they come."""
    must(["git", "remote", "remove", "origin"], running.root)
    (running.root / ".dvc/config").write_text("")
    lock = running.lock("tips@v0.3.0")
    assert lock
    md5 = lock.outs["model.txt"].md5
    cached = running.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    cached.chmod(0o644)
    cached.write_text("0.999\n")
    assert "cache does not hold tips@v0.3.0 whole: model.txt was altered" in refused(
        running, "promote", "v0.3.0", "--why", "x"
    )


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (lambda _: None, ""),
        (_missing, "storage does not hold tips@v0.3.0 whole: model.txt is not there, or was altered"),
        (_altered, "storage does not hold tips@v0.3.0 whole: model.txt is not there, or was altered"),
        (_unreachable, "storage does not hold tips@v0.3.0 whole: model.txt is not there, or was altered"),
        (_no_dvc, "model.txt of tips@v0.3.0 cannot be fetched. `dvc fetch` failed with the remote storage"),
        (_no_origin, "origin cannot be asked what is in which stage"),
        (_moved_tag, "its tag stands on the commit of tips v0.1.0, so it was moved"),
        (_to_main, "holds no record.json"),
        (
            _edited_record,
            "tips@v0.3.0 is not as it was registered: record: the parameters are not those of its commit",
        ),
    ],
)
def test_what_is_not_right_leaves_production_alone(running: Repository, fault: Fault, says: str) -> None:
    fault(running)
    if not says:
        assert kit(running, "promote", "v0.3.0", "--why", WHY).code == 0
        return
    assert says in refused(running, "promote", "v0.3.0", "--why", WHY)
    assert in_production(running) == "v0.2.0"


def test_unknown_version(running: Repository) -> None:
    said = refused(running, "promote", "v9.0.0", "--why", "x")
    assert "tips has no version 'v9.0.0'" in said
    assert "v0.3.0, v0.2.0, v0.1.0" in said


def test_a_reason_is_asked_for(running: Repository) -> None:
    for words in (["promote", "v0.3.0"], ["rollback"], ["rollback", "--why", " "]):
        done = kit(running, *words)
        assert (done.code, "--why" in done.stderr) == (2, True)
    assert in_production(running) == "v0.2.0"


def test_a_tag_that_origin_lost_decides_nothing(running: Repository) -> None:
    must(["git", "push", "--quiet", "origin", ":refs/tags/tips#production#1"], running.root)
    said = refused(running, "promote", "v0.3.0", "--why", "x")
    assert "Here, and not at origin: tips#production#1" in said
    assert "git tag --delete 'tips#production#1'" in said


def test_what_was_there_before_is_no_version_any_more(running: Repository) -> None:
    promote(running, "v0.3.0")
    must(["git", "push", "--quiet", "origin", ":refs/tags/tips@v0.2.0"], running.root)
    must(["git", "tag", "--delete", "tips@v0.2.0"], running.root)
    assert "which is no version any more" in refused(running, "rollback", "--why", "x")
    assert in_production(running) == "v0.3.0"


def test_of_two_at_once_one_wins_and_the_other_is_told(running: Repository) -> None:
    other = clone_of(running, "other")
    must(["git", "config", "user.name", "Ada"], other.root)
    _reach_the_remote(running, other)
    asked = [(running, "v0.3.0"), (other, "v0.1.0")]
    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda one: kit(one[0], "promote", one[1], "--why", WHY), asked))
    lost = [one for one in done if one.code == 1]
    assert sorted(one.code for one in done) in ([0, 1], [0, 0]), [one.said for one in done]
    versions.fetch(running, "tips")
    held = stages.assignments(running, "tips")
    assert len(held) == 1 + len(done) - len(lost)  # none is lost: each that said so is in the history


def test_the_loser_of_a_race_is_told_who_won(running: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and pushing somebody else promotes."""
    other = clone_of(running, "other")
    _reach_the_remote(running, other)
    given = assign.assign

    def late(*about: Any, **said: Any) -> Any:
        monkeypatch.setattr(assign, "assign", given)
        must(["git", "config", "user.name", "Ada"], other.root)
        assert kit(other, "promote", "v0.1.0", "--why", "Safer.").code == 0
        return given(*about, **said)

    monkeypatch.setattr(assign, "assign", late)
    with pytest.raises(
        KitError, match=r"production holds v0\.1\.0, and somebody promoted .* by Ada .*: Safer\."
    ):
        promote(running, "v0.3.0")
    assert in_production(running) == "v0.1.0"
    assert "tips#production#2" in tags(running)[0]


def _reach_the_remote(ours: Repository, clone: Repository) -> None:
    """As a colleague reaches the same storage."""
    must(["git", "config", "user.email", "ada@example.com"], clone.root)
    assert (ours.root / ".dvc/config").read_text() == (clone.root / ".dvc/config").read_text()


def test_a_clock_of_the_future_does_not_hold_production(running: Repository, trained: Path) -> None:
    commit = running.commit("tips@v0.1.0")
    far = {"GIT_COMMITTER_DATE": "2040-01-01T00:00:00+00:00"}
    must(["git", "tag", "-a", "-m", "x", "tips#production#2", commit], running.root, **far)
    must(["git", "push", "--quiet", "origin", "tips#production#2"], running.root)
    promote(running, "v0.3.0")
    assert in_production(running) == "v0.3.0"
    gto = python_of(trained).with_name("gto")
    assert must([gto, "show", "tips#production", "--ref"], running.root).strip() == "tips@v0.3.0"
    held = stages.stays(stages.assignments(running, "tips"), "production")
    assert held[-1].since <= datetime.now(UTC)  # by our own clock
    assert [stay.put.dated.year for stay in held][1:] == [2040, 2040]


def test_killed_in_the_middle_nothing_is_half_done(running: Repository) -> None:
    """Before origin has it there is no ref here."""
    hook = running.root.parent / "origin.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\ntouch reached\nsleep 5\nexit 1\n")
    hook.chmod(0o755)
    before = tags(running)
    code = "import sys; sys.argv[1:] = 'promote v0.3.0 --why x --part move'.split(); from mlops_kit.cli.main import main; main()"
    process = started(running.root, code)
    while not (running.root.parent / "origin.git/reached").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.communicate()
    hook.unlink()
    assert tags(running) == before
    assert promote(running, "v0.3.0").outcome == "promoted"
    assert in_production(running) == "v0.3.0"
