"""The workflows as they are written: what they name our actions by, and which cloud roles they log in with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlops_kit.base import documents
from mlops_kit.base.errors import KitError
from mlops_kit.doctor.diagnosis import Diagnosis, Patient, hub_of

FOLDER = ".github/workflows"
OURS = re.compile(r"([\w.-]+/[\w.-]+/actions/[\w-]+)@(\S+)")
SETUP = "/actions/setup"  # every workflow with an action of ours begins with this one
COMMIT = re.compile("[0-9a-f]{40}")
# Actions that log in, and the input that says as whom. `/actions/login` is ours: its roles are separated by spaces.
LOGINS = {
    "aws-actions/configure-aws-credentials": "role-to-assume",
    "google-github-actions/auth": "service_account",
    "azure/login": "client-id",
}
OUR_LOGIN = "/actions/login"
VARIABLE = re.compile(r"\$\{\{\s*vars\.(\w+)\s*\}\}")  # ${{ vars.AWS_ROLE }}
# Of a variable's first word, the variable with the role of pull requests.
READ = {"AWS": "AWS_READ_ROLE", "GOOGLE": "GOOGLE_READ_SERVICE_ACCOUNT", "AZURE": "AZURE_READ_CLIENT_ID"}
CLOUDS = {"role-to-assume": "AWS", "service_account": "GOOGLE", "client-id": "AZURE"}
UUID = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)  # 72f988bf-86f1-41af-91ab-2d7cd011db47
BY_COMMIT = "uvx copier update --vcs-ref=:current: --defaults --data pin=commit"
RUNBOOK = "docs/runbook.md (or docs/mlops.md)"
PULL_REQUESTS = {"pull_request", "pull_request_target"}


@dataclass(frozen=True)
class Login:
    """A step that logs in to a cloud."""

    file: str
    cloud: str  # AWS, GOOGLE or AZURE
    role: str  # as it is written: a variable's name, or a text
    of_pull_requests: bool


def our_actions(patient: Patient) -> Diagnosis:
    """Workflows name our actions by commit, which cannot be moved to other code."""
    found = [(file, *match.groups()) for file, used in _uses(patient) if (match := OURS.fullmatch(used))]
    publishers = {action.removesuffix(SETUP) for _, action, _ in found if action.endswith(SETUP)}
    ours = [
        (file, action, ref) for file, action, ref in found if action.rpartition("/actions/")[0] in publishers
    ]
    by_tag = [one for one in ours if not COMMIT.fullmatch(one[2])]
    if by_tag:
        file, action, ref = by_tag[0]
        says = f"{file} names {action} by {ref}, and a tag can be moved to other code."
        return Diagnosis("our actions", "warn", says, BY_COMMIT)
    says = "Workflows name our actions by commit." if ours else "No workflow takes our actions from outside."
    return Diagnosis("our actions", "ok", says)


def roles(patient: Patient) -> Diagnosis:
    """Pull requests log in to the cloud with another role than main, which may write."""
    logins = list(_logins(patient))
    theirs = [one for one in logins if one.of_pull_requests]
    mains = [one for one in logins if not one.of_pull_requests]
    pairs = [(one, other) for one in theirs for other in mains if one.cloud == other.cloud]
    for one, other in pairs:
        if one.role == other.role:
            return _one_role(one, other, one.role)
    if not pairs:
        return Diagnosis(
            "roles", "ok", "No workflow of pull requests logs in to a cloud that main writes to."
        )
    values = hub_of(patient).variables()
    for one, other in pairs:
        mine, main = values.get(one.role, ""), values.get(other.role, "")
        if mine and mine == main:
            return _one_role(one, other, mine)
        if main and not mine:
            says = f"{one.role} is not set: pull requests cannot read the data that {other.role} gives main."
            return Diagnosis("roles", "warn", says, f"gh variable set {one.role}, as {RUNBOOK} says")
    return Diagnosis("roles", "ok", "Pull requests and main log in with different roles, or not at all.")


def _one_role(one: Login, other: Login, role: str) -> Diagnosis:
    says = (
        f"{one.file} and {other.file} log in with one role ({role}): code that nobody has reviewed may write "
        "wherever main may."
    )
    mend = f"gh variable set {READ[one.cloud]}, with a role that may only read, as {RUNBOOK} says"
    return Diagnosis("roles", "warn", says, mend)


def _logins(patient: Patient) -> Iterator[Login]:
    for file, workflow in _workflows(patient):
        triggers = workflow.get("on", workflow.get(True))  # type: ignore[call-overload]  # YAML 1.1 reads `on` as true
        of_pull_requests = bool(PULL_REQUESTS & set(_names(triggers)))
        for step in _steps(workflow):
            for cloud, role in _roles(step):
                yield Login(file, cloud, role, of_pull_requests)


def _roles(step: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The clouds that a step logs in to, each with its role: a variable's name, or a text."""
    action, given = str(step.get("uses", "")).partition("@")[0], step.get("with")
    ours = action.endswith(OUR_LOGIN) or action == "./.github/mlops-kit/login"
    name = "role-to-assume" if ours else LOGINS.get(action)
    if not name or not isinstance(given, dict) or not given.get(name):
        return
    for text in VARIABLE.sub(r"\1", str(given[name])).split() if ours else [str(given[name])]:
        role = VARIABLE.sub(r"\1", text)
        yield (_cloud_of(role) if ours else CLOUDS[name]), role


def _cloud_of(role: str) -> str:
    """Of a role as the action `login` takes it, or of the variable that holds one: AZURE_CLIENT_ID."""
    for cloud in ("GOOGLE", "AZURE"):
        if role.startswith(f"{cloud}_"):
            return cloud
    if "@" in role:
        return "GOOGLE"
    return "AZURE" if UUID.fullmatch(role) else "AWS"


def _names(triggers: Any) -> list[str]:
    return [triggers] if isinstance(triggers, str) else [str(one) for one in triggers or ()]


def _uses(patient: Patient) -> Iterator[tuple[str, str]]:
    for file, workflow in _workflows(patient):
        for step in _steps(workflow):
            yield file, str(step.get("uses", ""))


def _steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    jobs = workflow.get("jobs")
    for job in jobs.values() if isinstance(jobs, dict) else ():
        steps = job.get("steps") if isinstance(job, dict) else None
        yield from (step for step in steps or () if isinstance(step, dict))


def _workflows(patient: Patient) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of each workflow that can be read: what is wrong with the others, GitHub says."""
    folder = patient.repository.root / FOLDER
    for file in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        try:
            yield file.name, documents.read(file)
        except KitError:
            continue
