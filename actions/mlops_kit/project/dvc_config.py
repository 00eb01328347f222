"""DVC's settings of this clone, with absolute paths, for other worktrees and folders."""

import configparser
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlops_kit.base import temporary
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Repository

SYSTEM = "DVC_SYSTEM_CONFIG_DIR"
UNVERIFIED = ("hdfs://", "remote://")  # DVC has no such setting for them


def settings_file(repository: Repository, folder: Path) -> Path:
    """For `dvc get --config`: where data is now, because a version may be older than the remote that its data was pushed to."""
    path = folder / "dvc.config"
    with path.open("w", encoding="utf-8") as stream:
        settings(repository).write(stream)
    return path


def settings(repository: Repository) -> Any:
    """DVC's settings of this clone, with cache and folders by their whole path."""
    config: Any = configparser.ConfigParser(interpolation=None)
    config.read(repository.dvc_config_files, encoding="utf-8")
    cache = config.get("cache", "dir", fallback="cache").strip("\"'")
    _set(config, "cache", "dir", cache if "://" in cache else str(_from_dvc(repository, cache)))
    if (remote := repository.remote) and "://" not in remote.url:
        _set(config, f"'remote \"{remote.name}\"'", "url", str(_from_dvc(repository, remote.url)))
    return config


def share_cache(repository: Repository, tree: Repository) -> None:
    """Lets a worktree use this clone's cache and settings, so that a laptop needs no remote."""
    if not (tree.root / ".dvc").is_dir():  # that version had no DVC
        return
    with (tree.root / ".dvc/config.local").open("w", encoding="utf-8") as stream:
        settings(repository).write(stream)


def give_settings(repository: Repository, tree: Repository, cache: Path) -> None:
    """Let DVC in a worktree reach today's remote, with a cache of its own. Raises KitError if it has no .dvc folder."""
    if not (tree.root / ".dvc").is_dir():
        raise KitError(
            "That version has no .dvc folder: DVC does not know what it was made of.",
            "Choose one that DVC made; `mlops-kit versions` lists them.",
        )
    config = settings(repository)
    config.set("cache", "dir", str(cache))
    with (tree.root / ".dvc/config.local").open("w", encoding="utf-8") as stream:
        config.write(stream)


@contextmanager
def verified_downloads(repository: Repository) -> Iterator[dict[str, str]]:
    """An environment in which DVC hashes what it downloads from the default remote, while a command of it runs.

    The setting goes into a configuration of the system, the weakest of DVC's four: it is joined with the others, and
    no file of the repository changes. What the system's own configuration says is kept.
    """
    remote = repository.remote
    if remote is None or remote.url.startswith(UNVERIFIED):
        yield {}
        return
    config: Any = configparser.ConfigParser(interpolation=None)
    config.read(_system_folder() / "config", encoding="utf-8")
    _set(config, f"'remote \"{remote.name}\"'", "verify", "true")
    with temporary.folder() as folder:
        with (folder / "config").open("w", encoding="utf-8") as stream:
            config.write(stream)
        yield {SYSTEM: str(folder)}


def _system_folder() -> Path:
    """Where DVC looks for the system's configuration."""
    if named := os.environ.get(SYSTEM):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "iterative" / "dvc"
    if sys.platform == "darwin":
        return Path("/Library/Application Support/dvc")
    return Path((os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)[0]) / "dvc"


def _from_dvc(repository: Repository, path: str) -> Path:
    return (repository.root / ".dvc" / path).resolve()


def _set(config: Any, section: str, key: str, value: str) -> None:
    if not config.has_section(section):
        config.add_section(section)
    config.set(section, key, value)
