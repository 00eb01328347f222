"""Which commands of `mlops-new` take the locks, and that they do."""

from pathlib import Path

import pytest
from mlops_kit.project import workspace_lock
from mlops_new.base.errors import MlopsNewError
from mlops_new.cli.main import CREATE, command
from mlops_new.cli.words import COMMANDS
from mlops_new.grow import grow, trial

from tests.conftest import must
from tests.growth.projects import commit, update

# Every command: those that change a repository, and those that read it or make a new one aside.
LOCKED = {"add": "serving", "remove": "drift", "switch": "drift=whylogs", "update": "--to 99", "adopt": ""}
UNLOCKED = {"tiers": "", "diff": "--to 99", "lock": "", "completion": "bash", CREATE: "./fresh"}
DRY = {"add --dry-run": "serving", "remove --dry-run": "drift", "update --dry-run": "--to 99"}


def test_every_command_that_changes_a_repository_waits_for_the_kit(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sorted([*LOCKED, *UNLOCKED]) == sorted([*COMMANDS, CREATE])
    update(made, {"drift": "evidently"})
    commit(made, "Add drift")
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "train.py").write_text("import sklearn\nmodel.fit(x, y)\n")
    must(["git", "init", "--quiet"], plain)
    commit(plain, "Start")

    def begun(project: object) -> None:
        raise MlopsNewError("not locked")

    monkeypatch.setattr(trial, "clone_of", begun)
    monkeypatch.setattr(grow, "find_version", lambda project, to: "v99.0.0")
    for name, words in (LOCKED | UNLOCKED | DRY).items():
        root = plain if name == "adopt" else made
        monkeypatch.chdir(root)
        with workspace_lock.hold(root, "train", print), pytest.MonkeyPatch.context() as outside:
            outside.delenv("MLOPS_LOCKS")
            try:
                command([*name.split(), *words.split()], standalone_mode=False)
                said = "not locked"
            except MlopsNewError as error:
                said = error.what
        expected = "`mlops-kit train` (process" if name in LOCKED else "not locked"
        assert said.startswith(expected), (name, said)
