"""The environment of a new repository: locked and installed by uv."""

import os
from pathlib import Path

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, run_online


class InstallError(MlopsNewError):
    """uv could not install the packages."""


def install(repository: Path) -> None:
    """Locks with the pins of constraints.txt where there is no lock yet, then installs into .venv.

    Raises NotInstalled, with uv's own words, when packages cannot be had.
    """
    try:
        if not (repository / ".venv").exists():
            # relocatable: the repository is made aside and moved to its place when it is whole
            run_online(["uv", "venv", "--quiet", "--relocatable"], repository)
        if not (repository / "uv.lock").exists():
            # the one uv command that heeds a constraints file; it restates a dependency, changes nothing
            lock = ["uv", "add", "--quiet", "--no-sync", "--constraints", "constraints.txt", "pyyaml"]
            try:
                run_online(
                    [*lock, "--offline"], repository
                )  # the same lock two seconds sooner, if it is cached
            except ProcessError:
                run_online(lock, repository)
        run_online(["uv", "sync", "--quiet", "--locked"], repository)
    except ProcessError as error:
        reason = (
            error.last_words().partition("\nhint:")[0].rstrip()
        )  # hints are of options that we do not take
        raise InstallError(
            f"The environment could not be installed. uv says:\n{reason}",
            "Packages come from the network or from uv's cache; try again when they can be had.",
        ) from error


def python(repository: Path) -> Path:
    """Path of the environment's Python."""
    scripts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return repository.joinpath(".venv", *scripts)
