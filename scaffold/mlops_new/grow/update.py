"""Moves a clone of a project to another version of the template, by Copier's own update."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import FOREIGN_GIT, run
from mlops_new.grow.project import Project
from mlops_new.template import tiers, unasked
from mlops_new.template.releases import Releases
from mlops_new.template.tiers import Layers


def move(clone: Path, project: Project, known: Releases, layers: Layers, to: str) -> None:
    """Copier finds the project's template among the releases of this command. Raises MlopsNewError."""
    copier = unasked.copier()
    from copier.errors import CopierError
    from plumbum import ProcessExecutionError

    try:
        with carried(known), unasked.hurried():
            copier.run_update(clone / project.inside, vcs_ref=to, defaults=True, overwrite=True, quiet=True)
    except (CopierError, ProcessExecutionError, ValueError, TypeError) as error:
        raise MlopsNewError(f"Copier could not update to {to}: {error}", "Nothing was changed.") from error
    _take_back(clone, project, tiers.base(known, project.template, layers))


def _take_back(clone: Path, project: Project, base: frozenset[str]) -> None:
    """What its owner deleted: Copier writes a file of `_skip_if_exists` whenever it is not there."""
    own = {(project.inside / name).as_posix() for name in base}
    for name in run(["git", "ls-files", "--others", "-z"], clone).split("\0"):
        if name in own:
            (clone / name).unlink()


@contextmanager
def carried(known: Releases) -> Iterator[None]:
    """For Copier: no settings and cache of the person's, and the releases where it would ask GitHub."""
    from plumbum import local  # which has a copy of the environment of its own

    folder = known.folder.parent
    settings = folder / "settings.yml"
    settings.write_text("{}\n", encoding="utf-8")
    inherited = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
    more = {
        "COPIER_SETTINGS_PATH": str(settings),
        "COPIER_CACHE_DIR": str(folder / "copier"),
        "GIT_CONFIG_COUNT": str(inherited + 2),
        f"GIT_CONFIG_KEY_{inherited}": f"url.{known.folder.as_posix()}.insteadOf",
        f"GIT_CONFIG_VALUE_{inherited}": f"https://github.com/{known.publisher}.git",
        f"GIT_CONFIG_KEY_{inherited + 1}": "merge.conflictStyle",  # with a third side nobody could tell two
        f"GIT_CONFIG_VALUE_{inherited + 1}": "merge",
    }
    before = dict(os.environ)
    os.environ.update(more)
    try:
        with local.env(**more):
            for name in FOREIGN_GIT:
                os.environ.pop(name, None)
                local.env.pop(name, "")
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
