"""This clone: contract, commands, Git, hooks, tags."""

import shutil
from fnmatch import fnmatch
from pathlib import Path

from mlops_kit import VERSION
from mlops_kit.base import documents
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError, environment, words
from mlops_kit.doctor.diagnosis import Diagnosis, Patient, Unknown, contract_of
from mlops_kit.doctor.kit_version import mismatch
from mlops_kit.forge import runner
from mlops_kit.project import commits
from mlops_kit.versions import version
from mlops_kit.versions.tags import ref, tag_of, version_glob


def contract(patient: Patient) -> Diagnosis:
    """mlops.yaml is there and valid."""
    if patient.problem:
        return Diagnosis("contract", "fail", patient.problem.what, patient.problem.do or "Edit mlops.yaml.")
    return Diagnosis("contract", "ok", f"mlops.yaml is valid; the model is {contract_of(patient).model}.")


def commands(patient: Patient) -> Diagnosis:
    """The programs that mlops.yaml names can be found."""
    named = contract_of(patient).commands.model_dump()
    path = environment().get("PATH", "")
    programs = {key.rstrip("_"): words(line)[0] for key, line in named.items() if line and words(line)}
    root = patient.repository.root
    missing = [
        f"{program} ({key})"
        for key, program in programs.items()
        if not shutil.which(program, path=path) and not (root / program).is_file()
    ]
    if missing:
        says = f"Not on the PATH: {', '.join(missing)}."
        return Diagnosis("commands", "fail", says, "Install it, or correct `commands` in mlops.yaml.")
    return Diagnosis("commands", "ok", f"{', '.join(sorted(set(programs.values())))} can be found.")


def kit_version(patient: Patient) -> Diagnosis:
    """The kit is the one that mlops.yaml was written for."""
    required = contract_of(patient).kit
    if required is None:
        mend = f"Add `kit: {VERSION}` to mlops.yaml."
        return Diagnosis("kit version", "warn", "mlops.yaml does not say which kit it is for.", mend)
    if mend := mismatch(required):
        return Diagnosis("kit version", "fail", f"mlops.yaml is for kit {required}, this is {VERSION}.", mend)
    return Diagnosis("kit version", "ok", f"Kit {VERSION}, as mlops.yaml says.")


def identity(patient: Patient) -> Diagnosis:
    """Git knows who commits."""
    if commits.identity(patient.repository) == {}:
        return Diagnosis("identity", "ok", "Git knows who you are.")
    if runner.on_runner():
        return Diagnosis("identity", "ok", "On a runner versions are tagged by mlops-kit.")
    mend = "git config --global user.name NAME && git config --global user.email ADDRESS"
    return Diagnosis("identity", "warn", "Git does not know who you are.", mend)


WORKFLOWS = (".github/workflows/train.yml", ".github/workflows/ci.yml")  # those that wait for a branch


def origin(patient: Patient) -> Diagnosis:
    """There is an origin, and it answers."""
    repository = patient.repository
    if not repository.has_origin:
        others = repository.git("remote").split()
        mend = "git remote add origin https://github.com/OWNER/NAME.git"
        if others:
            mend = f"git remote rename {'upstream' if 'upstream' in others else others[0]} origin"
        named = f", only {', '.join(others)}" if others else ""
        says = f"There is no remote called origin{named}: versions stay on this machine."
        return Diagnosis("origin", "warn", says, mend)
    try:
        repository.git_online("ls-remote", "--exit-code", "--quiet", "origin", "HEAD")
    except ProcessError:
        return Diagnosis(
            "origin", "fail", "origin does not answer, or has no commit.", "git ls-remote origin"
        )
    return Diagnosis("origin", "ok", f"origin answers ({repository.slug or 'not on GitHub'}).")


def main_branch(patient: Patient) -> Diagnosis:
    """The workflows wait for pushes to the default branch."""
    repository = patient.repository
    try:
        branch = commits.default_branch(repository)
    except KitError as error:
        raise Unknown("The default branch is not known.", "git ls-remote --symref origin HEAD") from error
    deaf = [path for path in sorted(WORKFLOWS) if _waits_for_other_branches(repository.text(path), branch)]
    if not deaf:
        return Diagnosis("main branch", "ok", f"Workflows listen to pushes to {branch}.")
    says = f"The default branch is {branch}, and {', '.join(deaf)} waits for pushes to another one."
    mend = f"Write `branches: [{branch}]` under `push:` there, or rename the branch on GitHub (Settings, Branches)."
    return Diagnosis("main branch", "fail", f"{says} Merges train nothing.", mend)


def _waits_for_other_branches(text: str | None, branch: str) -> bool:
    """True for a workflow that names branches for `push`, none of them this one."""
    if text is None:
        return False
    triggers = documents.parse_yaml(text, "workflow").get("on")
    push = triggers.get("push") if isinstance(triggers, dict) else None
    patterns = push.get("branches") if isinstance(push, dict) else None
    return bool(patterns) and not any(fnmatch(branch, str(pattern)) for pattern in patterns or ())


def tags(patient: Patient) -> Diagnosis:
    """The versions at origin are known here."""
    model, repository = contract_of(patient).model, patient.repository
    known = {one.tag for one in version.versions(repository, model)}
    if not repository.has_origin:
        return Diagnosis("tags", "ok", f"{len(known)} versions, and no origin to compare with.")
    pattern = ref(version_glob(model))
    listed = repository.git_online("ls-remote", "--tags", "--refs", "origin", pattern)
    there = {tag_of(line.split("\t")[1]) for line in listed.splitlines()}
    mend = f"git fetch origin '{pattern}:{pattern}'"
    if missing := sorted(there - known):
        return Diagnosis(
            "tags", "warn", f"Not fetched: {', '.join(missing[-5:])}, {len(missing)} in all.", mend
        )
    if own := sorted(known - there):
        push = f"git push origin {' '.join(own[:5])}"
        return Diagnosis(
            "tags", "warn", f"Only on this machine: {', '.join(own[:5])}, {len(own)} in all.", push
        )
    return Diagnosis("tags", "ok", f"All {len(there)} versions are known here.")


def hooks(patient: Patient) -> Diagnosis:
    """The hooks that keep data out of Git are installed in this clone."""
    repository = patient.repository
    if not (repository.root / ".pre-commit-config.yaml").is_file():
        return Diagnosis("hooks", "ok", "This repository has no hooks.")
    if runner.on_runner():
        return Diagnosis("hooks", "ok", "Hooks are for people; CI runs them itself.")
    hook = Path(repository.git("rev-parse", "--git-path", "hooks/pre-commit").strip())
    if not (repository.root / hook).is_file():
        mend = "uv run pre-commit install"
        return Diagnosis("hooks", "warn", "The hooks are not installed: data could get into Git.", mend)
    return Diagnosis("hooks", "ok", "The hooks are installed.")
