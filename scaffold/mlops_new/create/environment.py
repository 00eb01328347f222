"""The environment of a new repository: locked and installed by uv."""

import os
import re
import shutil
import tomllib
from pathlib import Path

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, run_online


class InstallError(MlopsNewError):
    """uv could not install the packages."""


READER = ("charset-normalizer", "numpy", "pandera[polars]", "polars", "pyarrow", "pyyaml")  # what reads data


def install(repository: Path) -> None:
    """Install the packages of uv.lock into .venv. If there is no lock file yet, make one from the tested versions.

    Raises InstallError, with uv's own words, if a package cannot be downloaded.
    """
    try:
        if not (repository / ".venv").exists():
            # relocatable: the repository is made aside and moved to its place when it is whole
            run_online(["uv", "venv", "--quiet", "--relocatable"], repository)
        if not (repository / "uv.lock").exists():
            lock(repository)
        run_online(["uv", "sync", "--quiet", "--locked"], repository)
    except ProcessError as error:
        raise _install_error(error) from error


def install_reader(folder: Path) -> None:
    """Install into .venv the packages that read data, with the pins of constraints.txt. Raises InstallError."""
    words: list[str | Path] = [
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        python(folder),
        "--constraints",
        "constraints.txt",
    ]
    try:
        run_online(["uv", "venv", "--quiet"], folder)
        try:
            run_online([*words, "--offline", *READER], folder)
        except ProcessError:
            run_online([*words, *READER], folder)
    except ProcessError as error:
        raise _install_error(error) from error


def _install_error(error: ProcessError) -> InstallError:
    return InstallError(
        f"The environment could not be installed. uv says:\n{_reason(error)}",
        "uv takes packages from its cache or from the network. Check the connection, then run this again.",
    )


def lock(folder: Path, **environment: str) -> None:
    """Write uv.lock, with the versions that constraints.txt names. Raises ProcessError.

    `uv add` is the one command of uv that reads constraints. Adding a dependency that is there changes the layout of
    pyproject.toml at most, so the file is put back.
    """
    project = folder / "pyproject.toml"
    before = project.read_bytes()
    requirement = tomllib.loads(before.decode("utf-8"))["project"]["dependencies"][0]
    first = re.split("[<>=!~; ]", requirement)[0]  # whylogs[viz]>=1.6.4
    command = ["uv", "add", "--quiet", "--no-sync", "--constraints", "constraints.txt", first]
    try:
        try:  # the same lock two seconds sooner, if it is cached
            run_online([*command, "--offline"], folder, **environment)
        except ProcessError:
            run_online(command, folder, **environment)
    finally:
        project.write_bytes(before)


def lock_if_possible(draft: Path) -> bool:
    """Lock a repository that is being made. False if there is no uv, or if it reaches no package index soon."""
    if shutil.which("uv") is None:
        return False
    try:
        lock(draft, UV_HTTP_TIMEOUT="10", UV_HTTP_RETRIES="0")
    except ProcessError:
        return False
    return True


def lock_missing(repository: Path) -> list[str]:
    """Lock each environment that has tested versions and no uv.lock. Returns the lock files that were made.

    Raises InstallError, with uv's own words.
    """
    made = []
    for pins in sorted([repository / "constraints.txt", *repository.glob("*/*/constraints.txt")]):
        folder = pins.parent
        if not (folder / "pyproject.toml").is_file() or (folder / "uv.lock").exists() or not pins.is_file():
            continue
        try:
            lock(folder)
        except ProcessError as error:
            raise InstallError(
                f"{folder.relative_to(repository) / 'uv.lock'} could not be made. uv says:\n{_reason(error)}",
                "Check that uv reaches your package index, then run the command again.",
            ) from error
        made.append((folder / "uv.lock").relative_to(repository).as_posix())
    return made


def _reason(error: ProcessError) -> str:
    """uv's last words without its hints, which are about options that are not used here."""
    return error.last_words().partition("\nhint:")[0].rstrip()


def python(repository: Path) -> Path:
    """Path of the environment's Python."""
    scripts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return repository.joinpath(".venv", *scripts)
