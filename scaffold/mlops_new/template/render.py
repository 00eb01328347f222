"""Render the template with Copier into a new folder.

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

# Files that only the first rendering writes (`_skip_if_exists` in copier.yml) and that substitute answers.
OWNERS = ("README.md", "pyproject.toml", "params.yaml", "dvc.yaml")
STARTER_DATA = "data/flights.parquet"


def _unpack(into: Path, answers: Mapping[str, object]) -> None:
    """Unpack this version of the template into a new folder, as much of it as these answers need."""
    if releases.PACKAGED.is_file():
        known, tag = releases.open_releases(into.parent), releases.current()
        known.unpack(tag, into, without=tiers.unused_folders(known, tag, answers))
    else:
        releases.copy_parts(releases.SOURCE, into)


def render(into: Path, answers: Mapping[str, object]) -> None:
    """Render the template into a folder with these answers, and the defaults of the other questions.

    Copier gets plain files: cloning a repository takes it a third of a second. So Copier does not know address and
    tag, and they are written into the answers here. A test compares that with what Copier writes from a repository.
    """
    with temporary.folder("mlops-new-") as folder:
        tree = folder / "template"
        import_copier(meanwhile=lambda: _unpack(tree, answers))
        published = releases.publisher((tree / "copier.yml").read_text(encoding="utf-8"))
        render_tree(tree, into, {**answers, **facts(releases.current())})
    record_origin(into, releases.current(), f"gh:{published}")


def facts(tag: str) -> dict[str, str]:
    """What the template is told about its own version. Copier does not record it, because nobody is asked."""
    return {"release_commit": releases.commits().get(tag, "")}


def copier() -> ModuleType:
    """Import Copier: half of the time that `create` takes, so only what renders a template does it."""
    with temporary.delay_interrupt():  # pydantic, while it builds a class, would swallow Ctrl-C
        import copier
    return copier


def import_copier(meanwhile: Callable[[], object]) -> None:
    """Import Copier, and call `meanwhile` in a thread: it waits for Git, which takes as long as the import."""
    with ThreadPoolExecutor(max_workers=1) as other:
        with temporary.delay_interrupt():  # so that a thread that was started is always waited for
            done = other.submit(meanwhile)
        copier()
        done.result()


def render_tree(tree: Path, into: Path, answers: Mapping[str, object]) -> None:
    """Render an unpacked template. Raises MlopsNewError."""
    run_copy = copier().run_copy
    from copier.errors import CopierError

    try:
        with _copier_alone(tree.parent / f"settings-{os.getpid()}.yml"):
            run_copy(str(tree), into, data=dict(answers), defaults=True, overwrite=True, quiet=True)
    except (CopierError, ValueError, TypeError) as error:
        raise MlopsNewError(str(error)) from error


@contextmanager
def _copier_alone(settings: Path) -> Iterator[None]:
    """Copier without the user's settings, which must not answer its questions, and without Git.

    Copier asks Git for each file whether the repository ignores executable bits. There is no repository yet, and
    forty processes take as long as all the rendering.
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
    """Render once more, before anybody has edited a file."""
    for name in OWNERS:
        (into / name).unlink()
    render(into, answers)
