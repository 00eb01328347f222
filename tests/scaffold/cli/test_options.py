"""Options that contradict each other are refused first, by name."""

from pathlib import Path

import pytest

from tests.conftest import run

TOGETHER = [
    "flights --dry-run|--train",
    "adopt --dry-run|--apply",
    "adopt --dry-run|--run",
    "remove --dry-run serving|--force",
    "switch --dry-run serving=seldon|--force",
    "update --check|--to 0.1.0",
    "update --check|--dry-run",
]


@pytest.mark.parametrize("words", TOGETHER)
def test_both_are_named_and_nothing_is_done(words: str, mlops_new: Path, tmp_path: Path) -> None:
    left, right = words.split("|")
    done = run([mlops_new, *left.split(), *right.split()], tmp_path)
    assert done.code == 2, done.said
    one, other = left.split()[1], right.split()[0]
    assert done.stderr == f"mlops-new: {one} and {other} exclude each other.\nGive one of them.\n"
    assert list(tmp_path.iterdir()) == []


def test_options_that_agree_are_taken(mlops_new: Path, tmp_path: Path) -> None:
    for words in ("adopt --dry-run --no-run", "update --to 0.1.0 --dry-run", "remove serving --force"):
        done = run([mlops_new, *words.split()], tmp_path, GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
        assert done.code == 1, done.said
        assert "exclude" not in done.stderr
