"""Provenance and signature of the version in use."""

from mlops_kit.doctor.diagnosis import Diagnosis, Patient, contract_of
from mlops_kit.registry.provenance import attestation
from mlops_kit.registry.provenance.attestation import Attestation
from mlops_kit.versions import records
from mlops_kit.versions import version as versions

NAME = "signatures"


def signed(patient: Patient) -> Diagnosis:
    """The provenance of the version in use fits it, and is signed where mlops.yaml names keys."""
    repository, contract = patient.repository, contract_of(patient)
    version = versions.champion(repository, contract.model, "production")
    if version is None:
        return Diagnosis(NAME, "ok", "There is no version to check yet.")
    recorded = records.read(repository, version)
    found = attestation.check(repository, contract, version, recorded) if recorded else Attestation("none")
    if wrong := [*found.problems, *attestation.missing(contract, found)]:
        return Diagnosis(
            NAME, "fail", f"{version.tag}: {'; '.join(wrong)}.", f"mlops-kit show {version.name}"
        )
    if contract.signing.keys and found.status != "signed":
        mend = "gh secret set MLOPS_SIGNING_KEY < team.key, then register the next version"
        return Diagnosis(NAME, "warn", f"The provenance of {version.tag}: {found.says}.", mend)
    return Diagnosis(NAME, "ok", f"The provenance of {version.tag}: {found.says}.")
