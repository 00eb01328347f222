"""`copier update` itself, which what this project does is compared with."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import copier
from mlops_new.base.processes import FOREIGN_GIT
from mlops_new.grow import grow
from mlops_new.template.releases import Releases
from plumbum import local  # has a copy of the environment of its own


def update(at: Path, answers: Mapping[str, str], version: str | copier.VcsRef) -> None:
    """`copier update`, with the releases of this command in the place of GitHub."""
    with grow.open_project(at) as project, offline(project.releases):
        copier.run_update(at, dict(answers), vcs_ref=version, defaults=True, overwrite=True, quiet=True)


@contextmanager
def offline(releases: Releases) -> Iterator[None]:
    """An environment for Copier without the person's settings and cache."""
    folder = releases.folder.parent
    settings = folder / "settings.yml"
    settings.write_text("{}\n", encoding="utf-8")
    inherited = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
    more = {
        "COPIER_SETTINGS_PATH": str(settings),
        "COPIER_CACHE_DIR": str(folder / "copier"),
        "GIT_CONFIG_COUNT": str(inherited + 2),
        f"GIT_CONFIG_KEY_{inherited}": f"url.{releases.folder.as_posix()}.insteadOf",
        f"GIT_CONFIG_VALUE_{inherited}": f"https://github.com/{releases.publisher}.git",
        f"GIT_CONFIG_KEY_{inherited + 1}": "merge.conflictStyle",
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
