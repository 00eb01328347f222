"""An update has the result of `copier update`, byte for byte: of tiers at the same version, and of the version."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import copier
import pytest

from tests.conftest import must
from tests.growth import by_copier
from tests.growth.owners import EDITS, six_at_once
from tests.growth.projects import commit, update
from tests.growth.stand_ins import PLAN

FIRST, SECOND = ({layer: tools[number] for layer, tools in PLAN.items()} for number in (0, 1))
NONE = dict.fromkeys(PLAN, "none")
ALL = (FIRST, SECOND, NONE, SECOND, FIRST, NONE)  # each tier is added, switched to and from, and removed
SOME = ALL[:3]
BY_COPIER_ALONE = "README.md"  # brought back although its owner deleted it: what ours must not do


def state(top: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its executable bit, and what a link is linked to."""
    return {
        path.relative_to(top).as_posix(): (-1, str(path.readlink()).encode())
        if path.is_symlink()
        else (path.stat().st_mode & 0o111, path.read_bytes())
        for path in top.rglob("*")
        if (path.is_file() or path.is_symlink()) and ".git" not in path.relative_to(top).parts
    }


def compare(top: Path, answers: Mapping[str, str], inside: str = ".", version: str | None = None) -> None:
    """Update a copy by Copier and the project by this command."""
    other = top.with_name("by-copier")
    shutil.copytree(top, other, symlinks=True)
    by_copier.update(other / inside, answers, version or copier.VcsRef.CURRENT)
    update(top / inside, answers, version)
    theirs = state(other)
    readme = Path(inside, BY_COPIER_ALONE)
    if not (top / readme).exists():
        theirs.pop(readme.as_posix(), None)
    assert state(top) == theirs
    unmerged = ["git", "ls-files", "--unmerged", "--format=%(path)"]
    assert set(must(unmerged, top).split()) == set(must(unmerged, other).split())
    shutil.rmtree(other)


def much(at: Path) -> None:
    six_at_once(at)
    for name in ("odd names and bytes", "a link and a script", "a file of the base made executable"):
        EDITS[name](at)


def inside_the_tiers(at: Path) -> None:
    """A file of theirs edited and made executable, one renamed, one of the owner's beside them; and of what both tools of
    a layer have, one deleted, one edited where they differ, others where they do not."""
    for readme in at.glob("*/*/README.md"):
        readme.write_text(readme.read_text() + "\nOurs.\n")
        readme.chmod(0o755)
        (readme.parent / "ours.py").write_text("1\n")
        (readme.parent / "pyproject.toml").rename(readme.parent / "renamed.toml")
    for shared in at.glob("*/tool.yaml"):
        shared.write_text(shared.read_text().replace("port: 80", "port: 8080"))
    (at / "serving/tool.yaml").unlink(missing_ok=True)
    (at / "training/tool.yaml").write_text("tool: ours\n")


@pytest.mark.parametrize(
    ("steps", "before", "between", "inside"),
    [
        (ALL, much, None, "."),
        (SOME, EDITS["the package renamed"], inside_the_tiers, "."),
        (SOME, much, None, "ml/flights"),
    ],
    ids=["much edited", "tiers edited", "in a subfolder"],
)
def test_whatever_is_switched(
    steps: tuple[dict[str, str], ...],
    before: Callable[[Path], None],
    between: Callable[[Path], None] | None,
    inside: str,
    made: Path,
    tmp_path: Path,
) -> None:
    top = made
    if inside != ".":
        top = tmp_path / "several"
        shutil.copytree(made, top / inside, ignore=shutil.ignore_patterns(".git"), symlinks=True)
        (top / "README.md").write_text("# Several projects\n")
        must(["git", "init", "--quiet"], top)
    before(top / inside)
    commit(top, "Edit")
    start = state(top)
    for answers in steps:
        compare(top, answers, inside)
        commit(top, "Switch")
        if between and answers is not NONE:
            between(top / inside)
            commit(top, "Edit")
    if not between:
        assert state(top) == start


def test_a_file_of_the_owners_at_the_place_of_a_tiers(made: Path) -> None:
    for name, text in {"run.py": "print('ours')\n", "README.md": "# Ours\n"}.items():
        (made / "serving/seldon").mkdir(parents=True, exist_ok=True)
        (made / "serving/seldon" / name).write_text(text)
    commit(made, "Serve by hand")
    compare(made, {"serving": "seldon"})


@pytest.mark.parametrize("inside", [".", "ml/flights"], ids=["alone", "in a subfolder"])
@pytest.mark.parametrize("edit", [much, EDITS["the package renamed"], EDITS["gates tightened"], None])
def test_whatever_is_updated(
    edit: Callable[[Path], None] | None, inside: str, made: Path, tmp_path: Path, next_version: str
) -> None:
    """With all tiers of one kind on, which the next version changes too."""
    top = made
    if inside != ".":
        top = tmp_path / "several"
        shutil.copytree(made, top / inside, ignore=shutil.ignore_patterns(".git"), symlinks=True)
        must(["git", "init", "--quiet"], top)
        commit(top, "Start")
    update(top / inside, {**FIRST, "drift": "evidently"})
    commit(top, "Add tiers")
    if edit:
        edit(top / inside)
        commit(top, "Edit")
    compare(top, {}, inside, next_version)
