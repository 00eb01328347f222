"""The template, rendered by Copier into a new folder.

A project records `gh:OWNER/REPO` and the tag, so that a colleague's plain `copier update` finds them on
GitHub. A source tree needs neither a `.git` nor tags.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from mlops_new.base import temporary
from mlops_new.base.errors import MlopsNewError
from mlops_new.template import releases, tiers
from mlops_new.template.answers import record_origin

# Rendered once and never again (`_skip_if_exists` in copier.yml), with what they substitute.
OWNERS = ("README.md", "pyproject.toml", "params.yaml", "dvc.yaml")
STARTER_DATA = "data/flights.parquet"


def _unpack(into: Path, answers: Mapping[str, object]) -> None:
    """Writes this version of the template into a new folder, as much of it as these answers need."""
    if releases.PACKAGED.is_file():
        known, tag = releases.open_releases(into.parent), releases.current()
        known.unpack(tag, into, without=tiers.unused_folders(known, tag, answers))
    else:
        releases.copy_parts(releases.SOURCE, into)


def render(into: Path, answers: Mapping[str, object]) -> None:
    """Writes the template with these answers, its other questions at their defaults, into a folder.

    Copier gets plain files: cloning, submodules and describing a repository take it a third of a
    second. So it cannot know address and tag, and they are put among the answers here; a test compares
    with what Copier itself writes from the repository.
    """
    with temporary.folder("mlops-new-") as folder:
        tree = folder / "template"
        import_copier(meanwhile=lambda: _unpack(tree, answers))
        published = releases.publisher((tree / "copier.yml").read_text(encoding="utf-8"))
        render_tree(tree, into, answers)
    record_origin(into, releases.current(), f"gh:{published}")


def copier() -> ModuleType:
    """Import Copier: half of the time that `create` takes, so only what renders a template does it."""
    with temporary.held_back():  # pydantic, while it builds a class, would swallow Ctrl-C
        import copier
    return copier


def import_copier(meanwhile: Callable[[], object]) -> None:
    """Calls `meanwhile` in a thread, whose time is Git's: importing Copier takes as long."""
    with ThreadPoolExecutor(max_workers=1) as other:
        with (
            temporary.held_back()
        ):  # a thread that was started, but is not yet known, would not be waited for
            done = other.submit(meanwhile)
        copier()
        done.result()


def render_tree(tree: Path, into: Path, answers: Mapping[str, object]) -> None:
    """Like `render`, from a template that is unpacked; raises MlopsNewError."""
    run_copy = copier().run_copy
    from copier.errors import CopierError

    try:
        with _copier_alone(tree.parent / f"settings-{os.getpid()}.yml"):
            run_copy(str(tree), into, data=dict(answers), defaults=True, overwrite=True, quiet=True)
    except (CopierError, ValueError, TypeError) as error:
        raise MlopsNewError(str(error)) from error


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
