"""Actions by commit: ours move with the template, those of others are renewed by a bot; neither makes a conflict."""

import re
from collections.abc import Callable
from pathlib import Path

import copier
import pytest
from mlops_new.create import create
from mlops_new.create.request import CreateRequest
from mlops_new.grow import pins
from mlops_new.template import releases
from mlops_new.template.releases import COMMITS

from tests.conftest import must
from tests.growth.conftest import NEXT, NOW
from tests.growth.projects import commit, new, say

OF_NOW, OF_NEXT = "1" * 40, "2" * 40
DOWNLOAD = re.compile(r"actions/download-artifact@[0-9a-f]{40} # v[\d.]+")
Knows = Callable[..., None]


@pytest.fixture
def knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Knows:
    """This command's wheel is published, and lists the commits of these releases."""

    def list_them(**commits: str) -> None:
        bundle = tmp_path / "packaged/template.bundle"
        bundle.parent.mkdir(exist_ok=True)
        if not bundle.exists() or bundle.resolve() != releases.PACKAGED.resolve():
            bundle.unlink(missing_ok=True)
            bundle.symlink_to(releases.PACKAGED)
        lines = (f"{tag.replace('_', '.')} {hash}\n" for tag, hash in commits.items())
        bundle.with_name(COMMITS).write_text("".join(lines))
        monkeypatch.setattr(releases, "PACKAGED", bundle)

    return list_them


def named(tag: str) -> str:
    return tag.replace(".", "_")


def ours(at: Path) -> set[str]:
    """What the workflows name our actions by, with the comment behind it."""
    text = "".join(file.read_text() for file in sorted((at / ".github/workflows").iterdir()))
    return set(re.findall(r"mlops-new/mlops-new/actions/[\w-]+@(.*)", text))


def created(project: Path) -> Path:
    create.create(CreateRequest(project), say)
    return project


def test_a_release_whose_commit_is_known_is_named_by_it(tmp_path: Path, knows: Knows) -> None:
    knows(**{named(NOW): OF_NOW})
    created(tmp_path / "flights")
    assert ours(tmp_path / "flights") == {f"{OF_NOW} # {NOW}"}
    answers = (tmp_path / "flights/.copier-answers.yml").read_text()
    assert "pin: commit\n" in answers and "release_commit" not in answers
    assert "ref-pin" not in (tmp_path / "flights/.github/zizmor.yml").read_text()


def test_a_release_whose_commit_is_not_known_is_named_by_its_tag(made: Path) -> None:
    assert ours(made) == {NOW}
    assert "pin: tag\n" in (made / ".copier-answers.yml").read_text()
    assert "ref-pin" in (made / ".github/zizmor.yml").read_text()


@pytest.mark.parametrize(
    ("known_at_first", "known_then", "expected"),
    [
        ({NOW: OF_NOW}, {NOW: OF_NOW, NEXT: OF_NEXT}, f"{OF_NEXT} # {NEXT}"),
        ({}, {NOW: OF_NOW, NEXT: OF_NEXT}, f"{OF_NEXT} # {NEXT}"),
        ({NOW: OF_NOW}, {NOW: OF_NOW}, NEXT),
        ({}, {NOW: OF_NOW}, NEXT),
    ],
    ids=["commit to commit", "tag to commit", "commit to tag", "tag to tag"],
)
def test_an_update_moves_our_actions_without_a_conflict(
    known_at_first: dict[str, str],
    known_then: dict[str, str],
    expected: str,
    tmp_path: Path,
    knows: Knows,
    request: pytest.FixtureRequest,
) -> None:
    knows(**{named(tag): hash for tag, hash in known_at_first.items()})
    project = created(tmp_path / "flights")
    request.getfixturevalue("next_version")
    knows(**{named(tag): hash for tag, hash in known_then.items()})
    done = new(project, "update")
    assert done.exit_code == 0, done.output
    assert ours(project) == {expected}


def test_a_tier_that_is_added_names_our_actions_as_the_project_does(tmp_path: Path, knows: Knows) -> None:
    knows(**{named(NOW): OF_NOW})
    project = created(tmp_path / "flights")
    assert new(project, "add", "drift=evidently").exit_code == 0
    assert ours(project) == {f"{OF_NOW} # {NOW}"}


@pytest.mark.parametrize(
    ("version", "kept"), [("v99.0.0", "a" * 8), ("v7.0.0", "a" * 8), ("v6.9.0", "4" * 8)]
)
def test_a_pin_that_a_bot_and_the_template_renewed_is_no_conflict(
    version: str, kept: str, made: Path, next_version: str
) -> None:
    """The next version of the template has another commit of the same action."""
    file = made / ".github/workflows/train.yml"
    renewed = DOWNLOAD.sub(f"actions/download-artifact@{'a' * 40} # {version}", file.read_text())
    assert renewed != file.read_text()
    file.write_text(renewed)
    commit(made, "Bump actions/download-artifact")
    done = new(made, "update")
    assert done.exit_code == 0, done.output
    (pin,) = DOWNLOAD.findall(file.read_text())
    assert pin.startswith(f"actions/download-artifact@{kept}")
    assert ours(made) == {next_version}


def test_copier_names_the_same_commit_from_the_published_repository(
    after_release: Path, tmp_path: Path, knows: Knows
) -> None:
    """A colleague's plain `copier update` and this command must agree, or each would undo the other's pins."""
    source = after_release / "source"
    released = must(["git", "rev-parse", f"{NOW}^{{commit}}"], source).strip()
    by_copier = tmp_path / "by-copier"
    copier.run_copy(str(source), by_copier, vcs_ref=NOW, defaults=True, overwrite=True, quiet=True)
    knows(**{named(NOW): released})
    assert ours(created(tmp_path / "flights")) == ours(by_copier) == {f"{released} # {NOW}"}
    workflows = sorted(path.name for path in (by_copier / ".github/workflows").iterdir())
    for name in workflows:
        file = Path(".github/workflows", name)
        assert (by_copier / file).read_text() == (tmp_path / "flights" / file).read_text()


# ---- both sides of one file ----

LINE = "      - uses: actions/checkout@{} # {}\n        with: {{}}\n"
OLD = LINE.format("0" * 40, "v7.0.1")
PINS = (
    ("a", "v8.0.0"),
    ("0", "v7.0.1"),
    ("b", "v7.1.0"),
)  # of the project, the template, and the next template


def merged(tmp_path: Path, yours: str, new: str) -> str:
    files = [tmp_path / name for name in ("yours", "before", "after")]
    for file, text in zip(files, (yours, OLD, new), strict=True):
        file.write_text(text)
    pins.settle(*files)
    must(["git", "merge-file", *files], tmp_path)
    return files[0].read_text()


@pytest.mark.parametrize(
    ("mine", "theirs", "kept"),
    [
        (("a" * 40, "v7.0.2"), ("b" * 40, "v7.1.0"), ("b" * 40, "v7.1.0")),
        (("a" * 40, "v8.0.0"), ("b" * 40, "v7.1.0"), ("a" * 40, "v8.0.0")),
        (("a" * 40, "v10.0.0"), ("b" * 40, "v9.0.0"), ("a" * 40, "v10.0.0")),
        (("a" * 40, "v7.0.1"), ("0" * 40, "v7.0.1"), ("a" * 40, "v7.0.1")),
        (("0" * 40, "v7.0.1"), ("b" * 40, "v7.1.0"), ("b" * 40, "v7.1.0")),
    ],
)
def test_the_newer_pin_is_kept(
    mine: tuple[str, str], theirs: tuple[str, str], kept: tuple[str, str], tmp_path: Path
) -> None:
    assert merged(tmp_path, LINE.format(*mine), LINE.format(*theirs)) == LINE.format(*kept)


def test_a_pin_without_a_version_is_kept_because_somebody_chose_it(tmp_path: Path) -> None:
    mine = f"      - uses: actions/checkout@{'a' * 40}\n        with: {{}}\n"
    assert merged(tmp_path, mine, LINE.format("b" * 40, "v9.0.0")) == mine


def test_what_else_both_changed_is_merged_as_ever(tmp_path: Path) -> None:
    mine = LINE.format("a" * 40, "v8.0.0")
    theirs = LINE.format("b" * 40, "v7.1.0").replace("with: {}", "with: {fetch-depth: 0}")
    assert merged(tmp_path, mine, theirs) == mine.replace("with: {}", "with: {fetch-depth: 0}")


def test_bytes_that_are_no_text_stay(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("yours", "before", "after")]
    for file in files:
        file.write_bytes(OLD.encode() + b"# \xff\r\n")
    pins.settle(*files)
    assert {file.read_bytes() for file in files} == {OLD.encode() + b"# \xff\r\n"}


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("yours", "before", "after")]
    texts = [LINE.format(hash * 40, version).replace("\n", "\r\n") for hash, version in PINS]
    for file, text in zip(files, texts, strict=True):
        file.write_bytes(text.encode())
    pins.settle(*files)
    assert {file.read_bytes() for file in files} == {texts[0].encode()}
