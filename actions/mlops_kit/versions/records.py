"""The records of registered versions, read from their tags."""

from mlops_kit.project.lock import LOCK
from mlops_kit.project.repository import Repository
from mlops_kit.versions import foreign, record
from mlops_kit.versions import version as versions
from mlops_kit.versions.record import Record
from mlops_kit.versions.version import Version


def identity(version_record: Record) -> str:
    return f"{version_record.identity.inputs} {version_record.identity.predictions}"


def newest(repository: Repository, model: str) -> Record | None:
    """The record of the newest version of this clone."""
    version = versions.newest(repository, model)
    return read(repository, version) if version else None


def read(repository: Repository, version: Version) -> Record | None:
    """A version's record; None, with a note, where `register` did not make the tag or it was altered."""
    return foreign.record_of(repository, version)


# Files that register writes itself: no reason to call a tree dirty.
OWN = (LOCK, record.FILE, record.CARD, record.BOM, record.PROVENANCE, record.SIGNATURE, record.SIGSTORE)
