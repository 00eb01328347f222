"""Find problems of this repository, each with the command that fixes it."""

from mlops_kit.base import credentials, github_env
from mlops_kit.base.errors import KitError
from mlops_kit.base.text_table import text_table
from mlops_kit.doctor import clone, data, github_settings, signatures, workflows
from mlops_kit.doctor.diagnosis import Check, Diagnosis, Patient, Unknown
from mlops_kit.project import contract
from mlops_kit.project.repository import Repository

CHECKS: dict[str, Check] = {
    "contract": clone.contract,
    "commands": clone.commands,
    "kit version": clone.kit_version,
    "identity": clone.identity,
    "origin": clone.origin,
    "main branch": clone.main_branch,
    "tags": clone.tags,
    "hooks": clone.hooks,
    "dvc remote": data.remote,
    "pushed data": data.pushed_data,
    "lock": data.lock,
    "versions kept": data.versions_kept,
    "signatures": signatures.signed,
    "cadence": data.cadence,
    "our actions": workflows.our_actions,
    "roles": workflows.roles,
    "token": github_settings.token,
    "branch rule": github_settings.branch_rule,
    "tag rule": github_settings.tag_rule,
    "stage rule": github_settings.stage_rule,
    "schedule": github_settings.schedule,
}
MARKS = {"ok": "ok", "warn": "warn", "fail": "FAIL", "unknown": "unknown"}


def examine(repository: Repository) -> list[Diagnosis]:
    """Run all checks. A check that is not possible here is `unknown`, which is no failure."""
    patient = _patient(repository)
    return [_diagnose(name, check, patient) for name, check in CHECKS.items()]


def in_words(findings: list[Diagnosis]) -> str:
    """A table with a line for each check and, below a problem, its fix."""
    header, *rows = text_table(
        ("status", "check", "finding"), [(MARKS[one.status], one.name, one.says) for one in findings]
    )
    indent = " " * header.index("finding")
    lines = [header]
    for finding, row in zip(findings, rows, strict=True):
        lines.append(row)
        if finding.mend and finding.status != "ok":
            lines.append(f"{indent}Fix: {finding.mend}")
    count = {status: sum(finding.status == status for finding in findings) for status in MARKS}
    lines.append(", ".join(f"{n} {status}" for status, n in count.items() if n))
    return "\n".join(lines)


def is_well(findings: list[Diagnosis]) -> bool:
    return all(one.status != "fail" for one in findings)


def _patient(repository: Repository) -> Patient:
    from mlops_kit.forge import github

    settings, problem, hub, no_hub = None, None, None, ""
    try:
        settings = contract.load(repository.root)
    except KitError as error:
        problem = error
    try:
        hub = github.connect(repository)
    except KitError as error:
        no_hub = (
            f"{error.what} {error.do}"
            if credentials.token()
            else f"Set {github_env.TOKEN} (`gh auth token` prints one)."
        )
    return Patient(repository, settings, problem, hub, no_hub)


def _diagnose(name: str, check: Check, patient: Patient) -> Diagnosis:
    """The result of one check. An error of GitHub or of the kit is a result too, so that the other checks still run."""
    from mlops_kit.forge.github_errors import GitHubError

    try:
        return check(patient)
    except Unknown as error:
        return Diagnosis(name, "unknown", error.says, error.mend)
    except GitHubError as error:
        return Diagnosis(name, "fail" if error.status == 401 else "unknown", error.what, error.do)
    except KitError as error:
        return Diagnosis(name, "fail", error.what, error.do)
