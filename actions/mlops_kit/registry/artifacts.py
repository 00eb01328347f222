"""Are a version's artifacts in the DVC remote, byte for byte? They are fetched into an empty cache and hashed."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mlops_kit.base import temporary
from mlops_kit.base.errors import KitError
from mlops_kit.project import dvc_config, hashed, snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.hashed import AlteredError
from mlops_kit.project.lock import Entry, file_md5, file_sha256, object_path
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import transfer
from mlops_kit.versions import records
from mlops_kit.versions.version import Version


def check(repository: Repository, contract: Contract, version: Version) -> list[str]:
    """Check the version's artifacts in the remote; returns their paths. Raises KitError if one is missing or altered."""
    entries = _dvc_entries(repository, contract, version)
    if entries:
        with temporary.folder() as folder:
            cache = _fetch(repository, contract, version, entries, folder)
            recorded = records.read(repository, version)
            measured = {one.path: one.sha256 for one in recorded.digests} if recorded else {}
            if wrong := [f"{one.path}{says}" for one in entries if (says := _problem(cache, one, measured))]:
                where = repository.remote.name if repository.remote else "the cache"
                raise KitError(
                    f"{where} does not hold {version.tag} whole: {'; '.join(wrong)}.",
                    "Nothing was changed. Who has it pushes it again (`dvc push`); else take another version.",
                )
    return [one.path for one in entries]


def _dvc_entries(repository: Repository, contract: Contract, version: Version) -> list[Entry]:
    """The lock entries of the artifacts that DVC holds; files in Git came with the tag."""
    lock = repository.lock(version.tag)
    paths = snapshot.readable_contract(repository, version.tag, contract).artifacts or contract.artifacts
    entries = [lock.out(path) for path in paths] if lock else []
    tracked = repository.tracked(version.tag)
    return list({one.path: one for one in entries if one and one.path not in tracked}.values())


def _fetch(
    repository: Repository, contract: Contract, version: Version, entries: list[Entry], folder: Path
) -> Path:
    """Fetch the artifacts into an empty cache and return its path; without a remote, the path of this clone's cache."""
    if repository.remote is None:
        return Path(dvc_config.settings(repository).get("cache", "dir"))
    with repository.worktree(version.tag) as tree:
        dvc_config.give_settings(repository, tree, folder / "cache")
        paths = [one.path for one in entries]
        try:
            with suppress(AlteredError):  # the object is gone from this cache: `_problem` names it
                transfer(repository, contract.commands.dvc, "fetch", *paths, at=tree.root)
        except KitError as error:
            what = f"{', '.join(paths)} of {version.tag} cannot be fetched. {error.what}"
            raise KitError(what, f"Nothing was changed. {error.do}") from error
    return folder / "cache"


def _problem(cache: Path, entry: Entry, measured: Mapping[str, str]) -> str:
    """What is wrong with an entry in the cache. `measured`: the SHA-256 of files, as the record has them."""
    for inside, md5 in hashed.objects(cache, entry.md5):
        path = object_path(cache, md5)
        if not path.is_file():
            return f" is not there, or was altered ({md5})"  # DVC leaves out what it finds altered
        if file_md5(path) != md5.removesuffix(".dir"):
            return f" was altered ({md5})"
        name = f"{entry.path}/{inside}" if inside else entry.path
        if name in measured and not md5.endswith(".dir") and file_sha256(path) != measured[name]:
            return f": {name} has another SHA-256 than its provenance says"
    return ""
