"""Is a version what its tag says? What Git can tell: a tag that was moved, a record that was edited."""

import re

from mlops_kit.base.errors import KitError
from mlops_kit.data import metrics_file
from mlops_kit.project import snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK, Lock
from mlops_kit.project.repository import Repository
from mlops_kit.registry import version_commit
from mlops_kit.registry.provenance import attestation
from mlops_kit.registry.provenance.attestation import Attestation
from mlops_kit.versions import draft, record, records, tags
from mlops_kit.versions.record import Record
from mlops_kit.versions.version import Version

REGISTER = "Promote another version, or train and register this one again."


def checked(repository: Repository, contract: Contract, version: Version) -> Record:
    """The version's record. Raises KitError naming everything that does not fit together."""
    recorded = records.read(repository, version)
    if recorded is None:
        raise KitError(
            f"{version.tag} holds no {record.FILE}: `mlops-kit register` did not make it, or the tag was moved.",
            REGISTER,
        )
    found = attestation.check(repository, contract, version, recorded)
    lacks = attestation.missing(contract, found)
    if wrong := [*problems(repository, contract, version, recorded, found), *lacks]:
        raise KitError(f"{version.tag} is not as it was registered: {'; '.join(wrong)}.", REGISTER)
    return recorded


def problems(
    repository: Repository, contract: Contract, version: Version, recorded: Record, attested: Attestation
) -> list[str]:
    """The parts of record and provenance that contradict the tag, the commit, the lock or the metrics."""
    if (recorded.model, recorded.version) != (version.model, version.name):
        return [f"its tag stands on the commit of {recorded.model} {recorded.version}, so it was moved"]
    wrong = list(attested.problems)
    if _parents(repository, version) != [recorded.code.commit]:
        wrong.append(
            f"its commit does not stand on the code that its record names ({recorded.code.commit[:7]})"
        )
    if (tagged := _identity(repository, version)) and tagged != records.identity(recorded):
        wrong.append("record: not the result that its tag names, so it was edited")
    lock = repository.lock(version.tag)
    if lock is None:
        return [*wrong, f"it holds no {LOCK}"]
    own = snapshot.readable_contract(repository, version.tag, contract)
    return wrong + _against(repository, own, version, recorded, lock)


def _against(
    repository: Repository, contract: Contract, version: Version, recorded: Record, lock: Lock
) -> list[str]:
    text = repository.show(version.tag, contract.metrics)
    data = {path: entry.md5 for path, entry in lock.inputs.items()}
    fits = {
        "data": all(data.get(file.path) == file.md5 for file in recorded.data),
        "parameters": recorded.parameters == lock.params,
        "digests": not draft.wrong_digests(recorded.artifacts, recorded.digests),
        "artifacts": recorded.artifacts == draft.artifacts(contract, lock),
        "metrics": text is None or recorded.metrics == metrics_file.parse_metrics(text, contract.metrics),
        "identity": recorded.identity == draft.identity(contract, lock, recorded.environment.files),
    }
    return [f"record: the {name} are not those of its commit" for name, fit in fits.items() if not fit]


def _parents(repository: Repository, version: Version) -> list[str]:
    """The hashes of the commit's parents, read from the commit because a shallow clone may hide them."""
    text = repository.git("cat-file", "commit", version.commit).partition("\n\n")[0]
    return re.findall(r"^parent ([0-9a-f]+)$", text, re.MULTILINE)


def _identity(repository: Repository, version: Version) -> str:
    form = f"--format=%(contents:trailers:key={version_commit.TRAILER},valueonly)"
    return repository.git("for-each-ref", form, tags.ref(version.tag)).strip()
