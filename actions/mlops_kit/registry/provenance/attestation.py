"""Does a version's provenance fit its commit, and who signed it?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mlops_kit.base.errors import KitError
from mlops_kit.project import git_objects
from mlops_kit.project.contract import FILE as CONTRACT
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK
from mlops_kit.project.repository import Repository
from mlops_kit.registry.provenance import keyless, signing, slsa
from mlops_kit.versions import record
from mlops_kit.versions.record import Record
from mlops_kit.versions.version import Version

Status = Literal["signed", "unchecked", "unsigned", "none"]
DO = "Promote another version, or train and register this one again."


@dataclass(frozen=True)
class Attestation:
    status: Status  # unchecked: signed, and mlops.yaml names no key; none: there is no provenance either
    key: str = ""  # the file of the key that signed, or sigstore's identity
    problems: tuple[str, ...] = ()  # what does not fit: never accepted

    @property
    def says(self) -> str:
        return {
            "signed": f"signed with {self.key}",
            "unchecked": f"signed; {CONTRACT} names nobody under `signing` who may sign",
            "unsigned": "not signed",
            "none": "there is none: a kit without it registered the version, or somebody removed it",
        }[self.status]


def check(repository: Repository, contract: Contract, version: Version, recorded: Record) -> Attestation:
    """`contract` is the current one: its keys count, not those in the version."""
    names = (record.PROVENANCE, record.SIGNATURE, record.SIGSTORE)
    statement, envelope, bundle = git_objects.read(repository, [f"{version.commit}:{name}" for name in names])
    if statement is None:
        return Attestation(
            "none", problems=("it is signed, and has no provenance",) if envelope or bundle else ()
        )
    problems = list(_problems(repository, version, recorded, statement))
    signing_settings, signers = contract.signing, []
    if envelope is not None:
        made = datetime.fromisoformat(version.created).date()
        text = envelope.decode("utf-8", "replace")
        signature = signing.verify(repository, signing_settings, text, statement, made)
        signers += [signature.key] if signature.key else []
        problems += [signature.problem] if signature.problem else []
    if bundle is not None and signing_settings.keyless:
        wrong = keyless.problem(statement, bundle, signing_settings.keyless)
        signers += [] if wrong else [signing_settings.keyless]
        problems += [wrong] if wrong else []
    unsigned = envelope is None and bundle is None
    status: Status = "signed" if signers else "unsigned" if unsigned else "unchecked"
    return Attestation(status, " and ".join(signers), tuple(problems))


def missing(contract: Contract, found: Attestation) -> list[str]:
    """Why the version lacks a signature that mlops.yaml requires; empty if it has one, or needs none."""
    needed = contract.signing.required and found.status != "signed" and not found.problems
    return [f"{CONTRACT} requires a signature, and its provenance: {found.says}"] if needed else []


def refuse(repository: Repository, contract: Contract, version: Version, recorded: Record | None) -> None:
    """Raise KitError if provenance or signature is wrong, or if a signature is missing that mlops.yaml requires."""
    found = check(repository, contract, version, recorded) if recorded else Attestation("none")
    if wrong := [*found.problems, *missing(contract, found)]:
        raise KitError(f"{version.tag} cannot be trusted: {'; '.join(wrong)}.", DO)


def _problems(repository: Repository, version: Version, recorded: Record, statement: bytes) -> Iterator[str]:
    """How the statement contradicts the commit and its record."""
    try:
        content = json.loads(statement)
        build, run = content["predicate"]["buildDefinition"], content["predicate"]["runDetails"]
        byproducts = {one["name"]: one["digest"]["sha256"] for one in run["byproducts"]}
        code = [one["digest"]["gitCommit"] for one in build["resolvedDependencies"] if one["name"] == "code"]
        about = build["externalParameters"]
        found = {
            "type": (content["_type"], content["predicateType"]),
            "version": (about["model"], about["version"]),
            "code": code,
            "artifacts": content["subject"],
        }
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        yield f"provenance: it is not a statement ({type(error).__name__})"
        return
    wanted: dict[str, Any] = {
        "type": (slsa.STATEMENT, slsa.PREDICATE),
        "version": (version.model, version.name),
        "code": [recorded.code.commit],
        "artifacts": slsa.subjects(recorded),
    }
    for name, value in wanted.items():
        if found[name] != value:
            yield f"provenance: not the record's {name}"
    yield from _wrong_files(repository, version, byproducts)


def _wrong_files(repository: Repository, version: Version, byproducts: dict[str, str]) -> Iterator[str]:
    """Files of the commit that have another hash than the statement says, or that it leaves out."""
    for name in (LOCK, record.FILE):
        if name not in byproducts:
            yield f"provenance: it does not name {name}"
    paths = [str(path) for path in byproducts]
    contents = git_objects.read(repository, [f"{version.commit}:{path}" for path in paths])
    for path, content in zip(paths, contents, strict=True):
        if content is None or slsa.sha256(content) != byproducts[path]:
            yield f"provenance: {path} is not the file that was registered"
