"""The packaged template, rendered by Copier itself."""

import os
from pathlib import Path

from mlops_new.template.releases import SOURCE, publisher

from tests.conftest import must


def copier_copy(mlops_new: Path, into: Path, **answers: str) -> None:
    """`copier copy` by the Copier beside the installed command, from the bundle in the wheel."""
    address = publisher((SOURCE / "copier.yml").read_text())
    words = ["copy", "--vcs-ref", _tag(mlops_new, into.parent), *_given(answers), f"gh:{address}", str(into)]
    _copier(mlops_new, into.parent, *words)


def copier_update(mlops_new: Path, project: Path, **answers: str) -> None:
    """`copier update` to other answers, at the version that it has."""
    _copier(mlops_new, project, "update", "--vcs-ref", ":current:", *_given(answers))


def _given(answers: dict[str, str]) -> list[str]:
    return [f"--data={name}={value}" for name, value in answers.items()]


def _tag(mlops_new: Path, cwd: Path) -> str:
    return _asked(mlops_new, cwd, "current()")


def _asked(mlops_new: Path, cwd: Path, what: str) -> str:
    python = mlops_new.with_name("python.exe" if os.name == "nt" else "python")
    return must([python, "-c", f"import mlops_new.template.releases as r; print(r.{what})"], cwd).strip()


def _copier(mlops_new: Path, cwd: Path, command: str, *words: str) -> None:
    address = publisher((SOURCE / "copier.yml").read_text())
    must(
        [mlops_new.with_name("copier"), command, "--defaults", "--quiet", *words],
        cwd,
        COPIER_CACHE_DIR=str(cwd.parent / "copier"),
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0=f"url.{_asked(mlops_new, cwd, 'PACKAGED.as_posix()')}.insteadOf",
        GIT_CONFIG_VALUE_0=f"https://github.com/{address}.git",
    )
