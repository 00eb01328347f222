"""What is wrong with this repository, and the one command that mends each thing."""

from mlops_kit.base import credentials, github_env
from mlops_kit.base.errors import KitError
from mlops_kit.doctor import clone, data, github_settings
from mlops_kit.doctor.diagnosis import Check, Diagnosis, Patient, Unknown
from mlops_kit.project import contract
from mlops_kit.project.repository import Repository

CHECKS: dict[str, Check] = {
    "contract": clone.contract,
    "commands": clone.commands,
    "kit version": clone.kit_version,
    "identity": clone.identity,
    "origin": clone.origin,
    "tags": clone.tags,
    "hooks": clone.hooks,
    "dvc remote": data.remote,
    "pushed data": data.pushed_data,
    "lock": data.lock,
    "versions kept": data.versions_kept,
    "cadence": data.cadence,
    "token": github_settings.token,
    "branch rule": github_settings.branch_rule,
    "tag rule": github_settings.tag_rule,
    "schedule": github_settings.schedule,
}
MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL", "unknown": "?   "}


def examine(repository: Repository) -> list[Diagnosis]:
    """All checks; what cannot be looked at here is unknown, which is no failure."""
    patient = _patient(repository)
    return [_made(name, check, patient) for name, check in CHECKS.items()]


def in_words(findings: list[Diagnosis]) -> str:
    lines = []
    for one in findings:
        lines.append(f"{MARKS[one.status]} {one.name}: {one.says}")
        if one.mend and one.status != "ok":
            lines.append(f"       {one.mend}")
    count = {status: sum(one.status == status for one in findings) for status in MARKS}
    lines.append(", ".join(f"{n} {status}" for status, n in count.items() if n))
    return "\n".join(lines)


def is_well(findings: list[Diagnosis]) -> bool:
    return all(one.status != "fail" for one in findings)


def _patient(repository: Repository) -> Patient:
    from mlops_kit.forge import github

    found, problem, hub, no_hub = None, None, None, ""
    try:
        found = contract.load(repository.root)
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
    return Patient(repository, found, problem, hub, no_hub)


def _made(name: str, check: Check, patient: Patient) -> Diagnosis:
    """GitHub's no to one question does not end the examination."""
    from mlops_kit.forge.github_errors import GitHubError

    try:
        return check(patient)
    except Unknown as error:
        return Diagnosis(name, "unknown", error.says, error.mend)
    except GitHubError as error:
        return Diagnosis(name, "fail" if error.status == 401 else "unknown", error.what, error.do)
    except KitError as error:
        return Diagnosis(name, "fail", error.what, error.do)
