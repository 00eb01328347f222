"""An owner's edit, then a tier: nothing is lost and nothing conflicts."""

from itertools import cycle
from pathlib import Path

import pytest

from tests.conftest import must
from tests.growth.owners import EDITS, six_at_once
from tests.growth.projects import commit, files_of, loss, update
from tests.growth.stand_ins import CHOICES

# Each edit meets a tier and each tier an edit here; `python -m tests.growth` has them all.
PAIRS = list(zip(EDITS, cycle(CHOICES), strict=False))


@pytest.mark.parametrize(("name", "choice"), PAIRS)
def test_an_edit_survives_a_tier(name: str, choice: tuple[str, str], made: Path) -> None:
    EDITS[name](made)
    commit(made, name)
    answers = dict([choice])
    assert loss(update(made, answers), files_of(made, answers)) == ""


@pytest.mark.parametrize("choice", CHOICES)
def test_six_edits_at_once_survive_each_tier(choice: tuple[str, str], made: Path) -> None:
    six_at_once(made)
    commit(made, "six")
    answers = dict([choice])
    assert loss(update(made, answers), files_of(made, answers)) == ""


def test_there_are_enough_edits() -> None:
    assert len(EDITS) >= 25


def test_a_deleted_file_stays_away_and_an_ignored_one_is_nobodys_business(made: Path) -> None:
    (made / "README.md").unlink()
    commit(made, "Delete README")
    (made / ".venv").mkdir()
    (made / ".venv/x").write_text("x")
    update(made, {"serving": "seldon"})
    assert not (made / "README.md").exists()
    assert "README.md\n" not in must(["git", "status", "--porcelain"], made)
    assert (made / ".venv/x").read_text() == "x"
