"""One command releases; what is released stays."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlops_new.template import releases

from tests.conftest import ROOT, Done, must, run
from tests.growth.conftest import NEXT, NOW


@pytest.fixture
def source(after_release: Path, tmp_path: Path) -> Path:
    """After a release and a change of the template, both committed."""
    shutil.copytree(after_release / "source", tmp_path / "source", symlinks=True)
    return tmp_path / "source"


def release(source: Path, *words: str) -> Done:
    return run([sys.executable, "scaffold/release.py", *words], source)


def note(source: Path) -> None:
    log = source / "CHANGELOG.md"
    log.write_text(
        log.read_text().replace("- unreleased\n", "- unreleased\n\n### Added\n- It: for whoever.\n", 1)
    )
    must(["git", "commit", "--quiet", "--all", "--message=Note"], source)


def test_what_a_release_did(source: Path) -> None:
    assert must(["git", "log", "--format=%s"], source).split("\n")[:4] == [
        "Change",
        f"Begin {NEXT[1:]}",
        f"Release {NOW[1:]}",
        "Start",
    ]
    assert must(["git", "tag"], source) == f"{NOW}\n"
    assert f"## [{NEXT[1:]}] - unreleased\n\n## [{NOW[1:]}] - 2" in (source / "CHANGELOG.md").read_text()
    assert [bundle.stem for bundle in releases.archived(source)][-1:] == [NOW]


def test_the_list_of_commits_names_every_release(source: Path, tmp_path: Path) -> None:
    """The commit after a release lists it; a wheel that is built from a clean checkout of a tag lists that too."""
    known = releases.read_commits(source / releases.ARCHIVE / releases.COMMITS)
    assert known == {NOW: must(["git", "rev-parse", f"{NOW}^{{commit}}"], source).strip()}
    assert list(known) == [bundle.stem for bundle in releases.archived(source)]
    must(["git", "checkout", "--quiet", NOW], source)
    listed = tmp_path / "listed.txt"
    releases.write_commits(source, listed, NOW)
    assert releases.read_commits(listed) == known
    (source / "copier.yml").write_text("# changed\n")
    releases.write_commits(source, listed, NOW)
    assert releases.read_commits(listed) == {}


def test_a_tree_that_is_not_the_release_has_no_commit(source: Path, tmp_path: Path) -> None:
    listed = tmp_path / "listed.txt"
    releases.write_commits(source, listed, NEXT)  # not tagged yet
    assert list(releases.read_commits(listed)) == [NOW]
    shutil.rmtree(source / ".git")
    releases.write_commits(source, listed, NOW)
    assert list(releases.read_commits(listed)) == [NOW]


def test_the_next_release_adds_its_own_commit_and_leaves_the_first_as_it_is(
    source: Path, tmp_path: Path
) -> None:
    first = (source / f"scaffold/releases/{NOW}.bundle").read_bytes()
    note(source)
    assert release(source, "--next", "99.0.0").code == 0
    assert (source / f"scaffold/releases/{NOW}.bundle").read_bytes() == first
    assert (source / f"scaffold/releases/{NEXT}.bundle").stat().st_size < 50_000
    releases.write_bundle(source, tmp_path / "all.bundle", "v99.0.0")
    heads = must(["git", "bundle", "list-heads", tmp_path / "all.bundle"], tmp_path)
    assert [line.split("/")[-1] for line in heads.splitlines() if "/tags/" in line] == [
        NOW,
        NEXT,
        "v99.0.0",
    ]
    for name in ("pyproject.toml", "copier.yml", "actions/mlops_kit/__init__.py"):
        assert '"99.0.0"' in (source / name).read_text()


def test_a_released_template_cannot_be_altered(source: Path, tmp_path: Path) -> None:
    with pytest.raises(releases.AlteredRelease, match=f"The template differs from {NOW}, which is released"):
        releases.write_bundle(source, tmp_path / "x.bundle", NOW)
    with pytest.raises(releases.AlteredRelease, match="what is released stays"):
        releases.append(source, NOW)


def _dirty(source: Path) -> None:
    (source / "x").write_text("x")


def _other_version(source: Path) -> None:
    kit = source / "actions/mlops_kit/__init__.py"
    kit.write_text(kit.read_text().replace(NEXT[1:], "98.0.0"))


def _tagged(source: Path) -> None:
    note(source)
    must(["git", "tag", NEXT], source)


@pytest.mark.parametrize(
    ("spoil", "words", "says"),
    [
        (_dirty, [], "not committed; commit them first:\n?? x"),
        (_other_version, [], "The places that name the version differ"),
        (_tagged, [], f"The tag {NEXT} is there already"),
        (lambda source: None, [], f"no section `## [{NEXT[1:]}] - unreleased` with a line"),
        (note, ["--next", NOW[1:]], f"{NOW[1:]} does not come after {NEXT[1:]}"),
    ],
)
def test_a_release_that_is_refused_changes_nothing(
    spoil: Callable[[Path], None], words: list[str], says: str, source: Path
) -> None:
    spoil(source)
    before = must(["git", "log", "--format=%H"], source) + must(["git", "tag"], source)
    done = release(source, *words)
    assert (done.code, says in done.stderr) == (1, True), done.said
    assert must(["git", "log", "--format=%H"], source) + must(["git", "tag"], source) == before


def test_a_release_that_fails_half_way_is_undone(source: Path) -> None:
    note(source)
    hook = source / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\ntest -z "$(git tag --list {NEXT})"\n')  # the second commit fails
    hook.chmod(0o755)
    before = must(["git", "log", "--format=%H"], source)
    assert release(source).code != 0
    assert must(["git", "log", "--format=%H"], source) == before
    assert must(["git", "tag"], source) == f"{NOW}\n"
    assert must(["git", "status", "--porcelain"], source) == ""


def test_the_commit_of_every_released_template_is_listed_here() -> None:
    """Without one, a project that names our actions by it could not be updated without conflicts."""
    listed = releases.read_commits(ROOT / releases.ARCHIVE / releases.COMMITS)
    archived = [bundle.stem for bundle in releases.archived(ROOT)]
    assert list(listed) == [tag for tag in archived if tag != releases.current()]


def test_a_bundle_has_no_commit_of_its_own_to_offer() -> None:
    """Its commits are not those of the published project: Copier would name our actions by one that nobody has."""
    assert (ROOT / "copier.yml").read_text("utf-8").count(releases.OF_THE_CLONE) == 1


def test_this_tree_can_be_built(tmp_path: Path) -> None:
    """Its version is not released, or the template is as it was released."""
    releases.write_bundle(ROOT, tmp_path / "template.bundle", releases.current())
