"""What is served: a version in a folder of its own, or the workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.project import snapshot
from mlops_kit.project.contract import FILE, Contract
from mlops_kit.project.lock import LOCK, Lock, file_md5, file_sha256
from mlops_kit.project.repository import Repository
from mlops_kit.registry.provenance import attestation
from mlops_kit.serving.version_folders import VersionFolders
from mlops_kit.versions import draft, records
from mlops_kit.versions.record import Record
from mlops_kit.versions.version import Version


@dataclass(frozen=True)
class Deployment:
    """A version as replicas get it."""

    version: str  # empty for the workspace
    commit: str  # empty for the workspace
    folder: Path  # code, schema, dvc.lock and artifacts
    predict: str  # module:function
    environment: tuple[str, ...]  # files that pin the model's libraries, relative to the folder
    python: str  # that it was trained with; empty if unknown

    @property
    def title(self) -> str:
        return self.version or "the workspace"


def of_workspace(repository: Repository, contract: Contract) -> Deployment:
    python = draft.python_version(repository, contract) or ""
    function = _function(contract, contract)
    return Deployment("", "", repository.root, function, tuple(contract.environment), python)


def of_version(folders: VersionFolders, contract: Contract, version: Version, say: Say) -> Deployment:
    """Check the version out and bring its artifacts, unless an earlier server left them whole.

    Raises KitError if an artifact cannot be found, or if provenance or signature is wrong.
    """
    record = records.read(folders.repository, version)
    attestation.refuse(folders.repository, contract, version, record)
    its_contract = snapshot.readable_contract(folders.repository, version.tag, contract)
    function = _function(its_contract, contract)
    with folders.hold(version) as folder:
        _bring(folders, contract, its_contract.artifacts, version, say)
        _refuse_other_bytes(folder, version, record)
    python = (record and record.environment.python) or ""
    return Deployment(version.name, version.commit, folder, function, tuple(its_contract.environment), python)


def _refuse_other_bytes(folder: Path, version: Version, record: Record | None) -> None:
    """Raises KitError if a file of the model has another SHA-256 than the record, which the signature covers."""
    digests = record.digests if record else []
    if wrong := [one.path for one in digests if file_sha256(folder / one.path) != one.sha256]:
        raise KitError(
            f"{', '.join(wrong[:5])} of {version.tag}: another SHA-256 than its record says.",
            "It is not served. Promote another version.",
        )


def _bring(
    folders: VersionFolders, contract: Contract, paths: Sequence[str], version: Version, say: Say
) -> None:
    repository, tree = folders.repository, Repository(folders.path(version))
    lock = repository.lock(version.commit)
    if lock is None:
        raise KitError(f"{version.tag} holds no {LOCK}.", "Was the tag made by `mlops-kit register`?")
    artifacts = [path for path in paths if lock.out(path)]
    if _is_whole(tree, version, lock, artifacts):
        return
    say(f"check {version.tag} out")
    folders.check_out(version)
    say(f"pull the artifacts of {version.name}")
    snapshot.bring_outputs(repository, tree, contract.commands.dvc, artifacts)
    if not _is_whole(tree, version, lock, artifacts):
        raise KitError(
            f"{tree.root} is not what {version.tag} says, right after it was pulled.",
            f"`mlops-kit pull {version.name} --into DIR` shows what DVC brings.",
        )


def _function(contract: Contract, today: Contract) -> str:
    """The version's own function; today's if its mlops.yaml is older than the tier."""
    for one in (contract, today):
        if one.serving and one.serving.predict:
            return one.serving.predict
    raise KitError(
        "Nothing says which function predicts: serving.predict is missing.",
        f"Write `serving: {{predict: module:function}}` into {FILE}: a function that takes a list of rows "
        "(a dict each) and returns a list of answers (a dict each).",
    )


def _is_whole(tree: Repository, version: Version, lock: Lock, artifacts: list[str]) -> bool:
    """True if the folder holds the version's commit, its lock and its artifacts, unaltered."""
    if not (tree.root / ".git").is_file() or tree.commit() != version.commit or tree.text(LOCK) != lock.text:
        return False
    outs = [lock.out(path) for path in artifacts]
    return all(
        (tree.root / out.path).exists() and file_md5(tree.root / out.path) == out.md5 for out in outs if out
    )
