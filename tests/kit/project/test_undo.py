"""What a command changed is put back, by itself or by the next one, wherever it was killed."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project import undo
from mlops_kit.project.undo import KEPT, Undo

FILES = {"dvc.lock": "lock\n", "model/a.txt": "a\n", "model/b.txt": "b\n", "data.csv": "old\n"}


class Killed(BaseException):
    """As a process is: nothing behind it runs."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "landed.csv").write_text("new\n")
    return tmp_path


def files(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and KEPT.parts[0] not in path.parts and path.name != "landed.csv"
    }


def begun(root: Path) -> Undo:
    kept = Undo(root, "training")
    kept.keep_text("dvc.lock")
    kept.keep_links(["model", "metrics.json"])
    kept.write()
    return kept


def changed(root: Path) -> None:
    shutil.rmtree(root / "model")
    (root / "model").mkdir()
    (root / "model/a.txt").write_text("half")
    (root / "metrics.json").write_text("{}")
    (root / "dvc.lock").write_text("half a lock")


def test_the_next_command_puts_back_what_a_killed_one_changed(root: Path) -> None:
    begun(root)
    changed(root)
    assert undo.recover(root) == ["dvc.lock", "metrics.json", "model"]
    assert files(root) == FILES
    assert undo.recover(root) == []
    assert not (root / KEPT).exists()


@pytest.mark.parametrize("moment", range(6))
def test_a_command_that_is_killed_while_it_puts_back_is_no_harm(
    root: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    begun(root)
    changed(root)
    calls = 0

    def counted(function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > moment:
                raise Killed
            return function(*arguments)

        return call

    with monkeypatch.context() as patched:
        for name in ("remove", "put"):
            patched.setattr(undo, name, counted(getattr(undo, name)))
        patched.setattr(shutil, "move", counted(shutil.move))
        with suppress(Killed):
            undo.recover(root)
    undo.recover(root)
    assert files(root) == FILES


def test_before_the_journal_is_written_nothing_was_changed(root: Path) -> None:
    kept = Undo(root, "training")
    kept.keep_links(["model"])
    assert undo.recover(root) == []
    assert files(root) == FILES
    assert list((root / KEPT).iterdir()) == []


@pytest.mark.parametrize("killed", ["in the move aside", "before the place", "after it"])
def test_new_data_is_taken_away_and_the_old_is_back(
    root: Path, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    kept = Undo(root, "new-data-0")
    kept.keep_text("data.csv.dvc")
    kept.write()
    move, moves = shutil.move, 0

    def sometimes(*arguments: Any) -> Any:
        nonlocal moves
        moves += 1
        if (killed, moves) in (("in the move aside", 1), ("before the place", 2)):
            raise Killed
        return move(*arguments)

    monkeypatch.setattr(shutil, "move", sometimes)
    with suppress(Killed):
        kept.place(root / "landed.csv", "data.csv")
        (root / "data.csv.dvc").write_text("pointer")
    monkeypatch.setattr(shutil, "move", move)
    undo.recover(root)
    assert files(root) == FILES


def test_what_is_forgotten_stays(root: Path) -> None:
    kept = begun(root)
    changed(root)
    kept.forget()
    assert undo.recover(root) == []
    assert files(root)["model/a.txt"] == "half"


def test_a_damaged_journal_is_named_and_nothing_is_deleted(root: Path) -> None:
    kept = begun(root)
    (kept.folder / undo.JOURNAL).write_text("[")
    with pytest.raises(KitError, match=r"journal.json is damaged"):
        undo.recover(root)
    assert (kept.folder / "0/a.txt").read_text() == "a\n"


def test_bytes_that_are_no_text_come_back_as_they_were(root: Path) -> None:
    (root / "dvc.lock").write_bytes(b"\xff\xfe\n")
    begun(root)
    changed(root)
    undo.recover(root)
    assert (root / "dvc.lock").read_bytes() == b"\xff\xfe\n"
