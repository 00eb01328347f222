"""The released versions of the template, without a network.

`scaffold/releases/` has one Git bundle a release, each with the commit of its tag alone, made once and never
changed. The wheel has all of them and its own version in one bundle, because a project of any age asks for the
template that it was made from. Commits have no date or author of the maker's: the same tree is the same commit.

They are not the commits of the published releases, which workflows name our actions by. Those stand in a list beside the
bundles, to which each release adds the one before: a commit cannot hold its own hash.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_new.base.processes import run

PACKAGED = Path(__file__).parents[1] / "template.bundle"
SOURCE = Path(__file__).parents[3]
ARCHIVE = "scaffold/releases"
COMMITS = "commits.txt"  # lines of tag and commit
# The line of copier.yml that is true of the published repository only, and what a bundle has in its place.
OF_THE_CLONE = """default: "[[ _copier_conf.vcs_ref_hash or '' ]]"\n"""
OF_A_BUNDLE = 'default: ""\n'
PARTS = ("copier.yml", "template")
LEFT_BY_TOOLS = ("__pycache__", ".*_cache", ".venv*", ".hypothesis")
ANONYMOUS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "mlops-new",
    "GIT_AUTHOR_EMAIL": "mlops-new@localhost",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "mlops-new",
    "GIT_COMMITTER_EMAIL": "mlops-new@localhost",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


class AlteredRelease(Exception):
    """The template of the source tree differs from the one that was released with its version."""


def current() -> str:
    """The tag of this command's own version."""
    if PACKAGED.is_file():
        from importlib.metadata import version  # takes as long as everything else here

        return f"v{version('mlops-new')}"
    text = (SOURCE / "copier.yml").read_text(encoding="utf-8")
    return f"v{_default(text, 'kit_version')}"


def numbers(tag: str) -> tuple[int, ...]:
    """The numbers of a tag such as `v0.2.0`, to sort by."""
    return tuple(int(number) for number in tag.removeprefix("v").split("."))


def publisher(copier_yml: str) -> str:
    """OWNER/NAME of the project that publishes the template, from `copier.yml`, the one place that names it."""
    return _default(copier_yml, "repository")


def _default(copier_yml: str, question: str) -> str:
    match = re.search(rf"^{question}:.*?^  default: (\S+)$", copier_yml, re.MULTILINE | re.DOTALL)
    assert match, f"copier.yml has no {question}"
    return match[1].strip('"')


def archived(source: Path) -> list[Path]:
    """The bundles of the released versions, the oldest first."""
    return sorted((source / ARCHIVE).glob("v*.bundle"), key=lambda bundle: numbers(bundle.stem))


def copy_parts(source: Path, tree: Path) -> None:
    tree.mkdir(exist_ok=True)
    ignore = shutil.ignore_patterns(*LEFT_BY_TOOLS)
    for part in PARTS:
        if (source / part).is_dir():
            shutil.copytree(source / part, tree / part, ignore=ignore)
        else:
            shutil.copy(source / part, tree / part)


def commits() -> dict[str, str]:
    """The published commit of each release that is known here, by tag."""
    packaged = PACKAGED.is_file()
    file = PACKAGED.with_name(COMMITS) if packaged else SOURCE / ARCHIVE / COMMITS
    return read_commits(file)


def read_commits(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    return dict(line.split() for line in file.read_text(encoding="utf-8").splitlines())


def write_commits(source: Path, file: Path, tag: str) -> None:
    """Write the list that the wheel carries: the archived one, and this tree if it is the clean checkout of its tag."""
    known = read_commits(source / ARCHIVE / COMMITS)
    if commit := _checked_out(source, tag):
        known[tag] = commit
    file.write_text("".join(f"{tag} {commit}\n" for tag, commit in known.items()), encoding="utf-8")


def _checked_out(source: Path, tag: str) -> str:
    """The commit of the tag if the tree is this commit, unchanged; else an empty text."""
    if not (source / ".git").exists():
        return ""
    try:
        head, tagged = (
            _git(source, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").strip()
            for name in ("HEAD", f"refs/tags/{tag}")
        )
        changed = _git(source, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head if head == tagged and not changed else ""


def write_bundle(source: Path, bundle: Path, tag: str) -> None:
    """Write a bundle of all released versions, and of the tree at `source` as `tag`. Raises AlteredRelease."""
    with _history(source, tag) as tree:
        _git(tree, "bundle", "create", "--quiet", str(bundle), "HEAD", "--branches", "--tags")


def append(source: Path, tag: str) -> Path:
    """Add the template of this tree to the archive. Raises AlteredRelease if the tag is in it."""
    before = archived(source)
    bundle = source / ARCHIVE / f"{tag}.bundle"
    if bundle in before:
        raise AlteredRelease(f"{tag} is released, and what is released stays.")
    bundle.parent.mkdir(exist_ok=True)
    since = [f"^{before[-1].stem}"] if before else []
    with _history(source, tag) as tree:
        _git(tree, "bundle", "create", "--quiet", str(bundle), tag, *since)
    return bundle


@contextmanager
def _history(source: Path, tag: str) -> Iterator[Path]:
    """A repository with a commit for each release, and one for this tree."""
    with tempfile.TemporaryDirectory(prefix="mlops-new-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        _git(tree, "init", "--quiet", "--initial-branch=main")
        released = [bundle.stem for bundle in archived(source)]
        for bundle in archived(source):
            _git(tree, "fetch", "--quiet", str(bundle), "refs/tags/*:refs/tags/*")
        if released:
            _git(tree, "update-ref", "refs/heads/main", f"refs/tags/{released[-1]}")
        copy_parts(source, tree)
        questions = tree / "copier.yml"
        text = questions.read_text(encoding="utf-8").replace(OF_THE_CLONE, OF_A_BUNDLE)
        questions.write_text(text, encoding="utf-8", newline="\n")
        _git(tree, "-c", "core.autocrlf=false", "add", "--force", "--all", ".")
        if tag not in released:
            _git(tree, "-c", "gc.auto=0", "commit", "--quiet", "--allow-empty", f"--message={tag}")
            _git(tree, "tag", tag)
        elif _git(tree, "write-tree") != _git(tree, "rev-parse", f"{tag}^{{tree}}"):
            raise AlteredRelease(f"The template differs from {tag}, which is released.")
        yield tree


def _git(tree: Path, *words: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | ANONYMOUS
    done = subprocess.run(["git", *words], cwd=tree, env=environment, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode()


@dataclass(frozen=True)
class Releases:
    """A bare repository with a tag for each version of the template, the one of this command included."""

    folder: Path

    @property
    def publisher(self) -> str:
        """OWNER/NAME of the project that publishes the template."""
        return publisher(self.text(current(), "copier.yml"))

    def tags(self) -> list[str]:
        """The tags of all versions, the oldest first."""
        names = run(["git", "tag", "--list", "v*"], self.folder).split()
        return sorted(names, key=numbers)

    def files(self, tag: str) -> list[str]:
        """Paths of the template's files, before they are rendered."""
        listed = run(["git", "ls-tree", "-r", "-z", "--name-only", tag, "template/"], self.folder)
        return [name.removeprefix("template/") for name in listed.split("\0") if name]

    def questionnaire(self, tag: str) -> dict[str, Any]:
        """`copier.yml` of a version."""
        import yaml

        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        content: dict[str, Any] = yaml.load(self.text(tag, "copier.yml"), loader)
        return content

    def skipped(self, tag: str) -> tuple[str, ...]:
        """Patterns of the files that are the owner's once they were rendered, from the root of the project."""
        return tuple(self.questionnaire(tag).get("_skip_if_exists", ()))

    def text(self, tag: str, name: str) -> str:
        return self.texts(tag, [name])[name]

    def texts(self, tag: str, names: list[str]) -> dict[str, str]:
        """The content of these files by name, read by one process."""
        objects = "".join(f"{tag}:{name}\n" for name in names)
        output = run(["git", "cat-file", "--batch"], self.folder, stdin=objects).encode()
        texts = {}
        for name in names:
            head, _, output = output.partition(b"\n")
            size = int(head.split()[-1])
            texts[name], output = output[:size].decode(), output[size + 1 :]
        return texts

    def unpack(self, tag: str, into: Path, without: Iterable[str] = ()) -> None:
        """Unpack a version into a new folder, without these folders of `template/`."""
        into.mkdir()
        parts = [":/", *(f":(top,exclude,literal)template/{folder}" for folder in without)]
        checkout = ["checkout", "--quiet", "--force", tag, "--", *parts]
        run(
            ["git", "-c", "core.autocrlf=false", f"--work-tree={into}", *checkout],
            self.folder,
            **ANONYMOUS,
        )


def open_releases(folder: Path) -> Releases:
    """Unpack the bundle of all releases into this folder."""
    bundle = PACKAGED
    if not bundle.is_file():
        bundle = folder / "template.bundle"
        write_bundle(SOURCE, bundle, current())
    bare = folder / "releases.git"
    run(["git", "clone", "--quiet", "--bare", "--template=", bundle, bare], folder, **ANONYMOUS)
    return Releases(bare)
