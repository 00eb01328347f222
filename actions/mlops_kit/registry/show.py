"""All that is known of one version: origin, record, whether it is as registered, and its verifications."""

from dataclasses import dataclass

from mlops_kit.data.metrics_file import all_metrics
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.registry import integrity, verifications
from mlops_kit.registry.provenance import attestation
from mlops_kit.registry.provenance.attestation import Attestation
from mlops_kit.registry.verifications import Proof
from mlops_kit.versions import lineage as lineages
from mlops_kit.versions import records
from mlops_kit.versions.differences import SLICES
from mlops_kit.versions.gate_results import shown
from mlops_kit.versions.lineage import Lineage
from mlops_kit.versions.lineage_text import lines
from mlops_kit.versions.record import Record
from mlops_kit.versions.version import Version


@dataclass(frozen=True)
class Shown:
    """The fields are the keys of `mlops-kit show --json`."""

    lineage: Lineage
    record: Record | None  # None for a tag that `register` did not make
    problems: list[str]  # how it differs from what was registered
    verified: list[Proof]
    provenance: Attestation


def show(repository: Repository, contract: Contract, version: Version) -> Shown:
    record = records.read(repository, version)
    attested = attestation.check(repository, contract, version, record) if record else Attestation("none")
    problems = integrity.problems(repository, contract, version, record, attested) if record else []
    (origin,) = lineages.of_versions(lineages.book(repository, contract.model), [version])
    problems += attestation.missing(contract, attested)
    return Shown(origin, record, problems, verifications.of(repository, version), attested)


def text(about: Shown) -> str:
    """For a terminal."""
    parts = [f"{about.lineage.tag} (times in UTC):", *lines(about.lineage)]
    parts += results(about.record) if about.record else []
    parts += [f"  {'verified':12}{one.at[:16].replace('T', ' ')}: {one.says}" for one in about.verified]
    parts += [] if about.verified else [f"  {'verified':12}never (`mlops-kit verify`)"]
    parts += [f"  {'provenance':12}{about.provenance.says}"]
    parts += [f"  NOT AS IT WAS REGISTERED: {one}" for one in about.problems]
    parts += ["", about.record.description] if about.record else []
    return "\n".join(parts)


def results(record: Record) -> list[str]:
    """Metrics but those of slices, and gates."""
    metrics = all_metrics(record.metrics).items()
    whole = [(name, one) for name, one in metrics if not name.startswith(f"{SLICES}.")]
    parts = [f"  {'metric':12}{name} = {one.value:.4g}" for name, one in whole]
    for gate in record.gates:
        status = shown(gate.get("kind"), gate["status"])
        parts.append(f"  {'gate':12}{gate['name']}: {status}, {gate['says']}")
    return parts
