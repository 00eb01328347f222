"""The template's released versions, with no network.

A project records `gh:OWNER/REPO` and the tag, so that a colleague's plain `copier update` finds them on
GitHub. The wheel carries the same versions as a Git bundle. A source tree needs neither a `.git` nor tags.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from mlops_new import aside
from mlops_new.errors import MlopsNewError
from mlops_new.processes import run

PACKAGED = Path(__file__).parent / "template.bundle"
SOURCE = Path(__file__).parents[2]
PARTS = ("copier.yml", "template")
# Rendered once and never again (`_skip_if_exists` in copier.yml), with what they substitute.
OWNERS = ("README.md", "pyproject.toml", "params.yaml", "dvc.yaml")
STARTER_DATA = "data/flights.parquet"
LEFT_BY_TOOLS = ("__pycache__", ".*_cache", ".venv*", ".hypothesis")

# Nothing of the maker's: the same tree gives the same commit everywhere.
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


def tag() -> str:
    from importlib.metadata import version  # takes as long as everything else here

    return f"v{version('mlops-new')}"


def repository(tree: Path) -> str:
    """OWNER/NAME of the project that publishes the template, from the one place that names it."""
    text = (tree / "copier.yml").read_text(encoding="utf-8")
    found = re.search(r"^repository:.*?^  default: (\S+)$", text, re.MULTILINE | re.DOTALL)
    assert found, "copier.yml names no repository"
    return found[1]


def _anonymous() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | ANONYMOUS


def _copy_parts(source: Path, tree: Path) -> None:
    tree.mkdir()
    ignore = shutil.ignore_patterns(*LEFT_BY_TOOLS)
    for part in PARTS:
        if (source / part).is_dir():
            shutil.copytree(source / part, tree / part, ignore=ignore)
        else:
            shutil.copy(source / part, tree / part)


def write_bundle(source: Path, bundle: Path, tag: str) -> None:
    """A Git bundle with the template of the tree at `source` as the one commit of `tag`."""
    with tempfile.TemporaryDirectory(prefix="mlops-new-") as folder:
        tree = Path(folder) / "tree"
        _copy_parts(source, tree)
        for command in (
            ["init", "--quiet", "--initial-branch=main"],
            ["-c", "core.autocrlf=false", "add", "--force", "."],
            ["-c", "gc.auto=0", "commit", "--quiet", f"--message={tag}"],
            ["tag", tag],
            ["bundle", "create", "--quiet", str(bundle), "main", tag],
        ):
            subprocess.run(["git", *command], cwd=tree, env=_anonymous(), check=True)


def _unpack(tree: Path) -> None:
    """Writes this version of the template into a new folder, without Git."""
    if not PACKAGED.is_file():
        _copy_parts(SOURCE, tree)
        return
    quiet = ["--quiet", "--config=advice.detachedHead=false", "--config=core.autocrlf=false"]
    run(["git", "clone", *quiet, f"--branch={tag()}", PACKAGED, tree], tree.parent, **ANONYMOUS)
    shutil.rmtree(tree / ".git")


def render(into: Path, answers: Mapping[str, object]) -> None:
    """Writes the template with these answers, its other questions at their defaults, into a folder.

    Copier gets plain files: cloning, submodules and describing a repository take it a third of a
    second. So it cannot know address and tag, and they are put among the answers here; a test compares
    with what Copier itself writes from the repository.
    """
    with aside.folder("mlops-new-") as folder:
        tree = folder / "template"
        with ThreadPoolExecutor(max_workers=1) as other:
            unpacked = other.submit(_unpack, tree)  # Git's work, while this thread imports
            with aside.held_back():  # pydantic, building a class, would swallow Ctrl-C
                import copier  # half of all the time there is: only who renders pays it
                from copier.errors import CopierError

            unpacked.result()
        address = repository(tree)
        try:
            with _copier_alone(folder / "settings.yml"):
                copier.run_copy(
                    str(tree), into, data=dict(answers), defaults=True, overwrite=True, quiet=True
                )
        except (CopierError, ValueError) as error:
            raise MlopsNewError(str(error)) from error
    recorded = into / ".copier-answers.yml"
    text = recorded.read_text(encoding="utf-8")
    origin = f"_commit: {tag()}\n_src_path: gh:{address}"
    recorded.write_text(text.replace(f"_src_path: {tree}", origin), encoding="utf-8", newline="\n")


@contextmanager
def _copier_alone(settings: Path) -> Iterator[None]:
    """Copier without the person's settings, which must not answer for them, and without Git.

    Copier asks Git about every file that it writes: does the repository there ignore executable bits?
    There is no repository yet, and forty processes take as long as all the rendering.
    """
    from plumbum import local  # where Copier looks for programs

    settings.write_text("{}\n", encoding="utf-8")
    os.environ["COPIER_SETTINGS_PATH"] = str(settings)
    try:
        with local.env(PATH=""):
            yield
    finally:
        del os.environ["COPIER_SETTINGS_PATH"]


def render_again(into: Path, answers: Mapping[str, object]) -> None:
    """Like `render`, where nobody has edited what is there yet."""
    for name in OWNERS:
        (into / name).unlink()
    render(into, answers)
