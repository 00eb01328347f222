"""Is a version what its tag says? What Git can tell: a tag that was moved, a record that was edited."""

import re

from mlops_kit.base.errors import KitError
from mlops_kit.data import metrics_file
from mlops_kit.project import snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK, Lock
from mlops_kit.project.repository import Repository
from mlops_kit.registry import version_commit
from mlops_kit.versions import draft, record, records, tags
from mlops_kit.versions.record import Record
from mlops_kit.versions.version import Version

REGISTER = "Promote another version, or train and register this one again."


def checked(repository: Repository, contract: Contract, version: Version) -> Record:
    """The version's record. Raises KitError naming everything that does not fit together."""
    found = records.read(repository, version)
    if found is None:
        raise KitError(
            f"{version.tag} holds no {record.FILE}: `mlops-kit register` did not make it, or the tag was moved.",
            REGISTER,
        )
    if wrong := problems(repository, contract, version, found):
        raise KitError(f"{version.tag} is not as it was registered: {'; '.join(wrong)}.", REGISTER)
    return found


def problems(repository: Repository, contract: Contract, version: Version, found: Record) -> list[str]:
    """What of the record is not what tag, commit, lock and metrics say."""
    if (found.model, found.version) != (version.model, version.name):
        return [f"its tag stands on the commit of {found.model} {found.version}, so it was moved"]
    wrong = []
    if _parents(repository, version) != [found.code.commit]:
        wrong.append(f"its commit does not stand on the code that its record names ({found.code.commit[:7]})")
    if (said := _identity(repository, version)) and said != records.identity(found):
        wrong.append("record: not the result that its tag names, so it was edited")
    lock = repository.lock(version.tag)
    if lock is None:
        return [*wrong, f"it holds no {LOCK}"]
    own = snapshot.readable_contract(repository, version.tag, contract)
    return wrong + _against(repository, own, version, found, lock)


def _against(
    repository: Repository, contract: Contract, version: Version, found: Record, lock: Lock
) -> list[str]:
    text = repository.show(version.tag, contract.metrics)
    data = {path: entry.md5 for path, entry in lock.inputs.items()}
    fits = {
        "data": all(data.get(file.path) == file.md5 for file in found.data),
        "parameters": found.parameters == lock.params,
        "artifacts": found.artifacts == draft.artifacts(contract, lock),
        "metrics": text is None or found.metrics == metrics_file.parse_metrics(text, contract.metrics),
        "identity": found.identity == draft.identity(contract, lock, found.environment.files),
    }
    return [f"record: the {name} are not those of its commit" for name, fit in fits.items() if not fit]


def _parents(repository: Repository, version: Version) -> list[str]:
    """As the commit says them, also where a shallow clone ends at it."""
    text = repository.git("cat-file", "commit", version.commit).partition("\n\n")[0]
    return re.findall(r"^parent ([0-9a-f]+)$", text, re.MULTILINE)


def _identity(repository: Repository, version: Version) -> str:
    form = f"--format=%(contents:trailers:key={version_commit.TRAILER},valueonly)"
    return repository.git("for-each-ref", form, tags.ref(version.tag)).strip()
