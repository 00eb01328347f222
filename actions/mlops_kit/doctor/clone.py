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
    """Check that mlops.yaml exists and is valid."""
    if patient.problem:
        return Diagnosis("contract", "fail", patient.problem.what, patient.problem.do or "Edit mlops.yaml.")
    return Diagnosis("contract", "ok", f"mlops.yaml is valid; the model is {contract_of(patient).model}.")


def commands(patient: Patient) -> Diagnosis:
    """Check that the programs in mlops.yaml are on the PATH."""
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
        says = f"These programs are not on the PATH: {', '.join(missing)}."
        return Diagnosis("commands", "fail", says, "Install them, or correct `commands` in mlops.yaml.")
    return Diagnosis("commands", "ok", f"{', '.join(sorted(set(programs.values())))} found on the PATH.")


def kit_version(patient: Patient) -> Diagnosis:
    """Check that this is the kit version that mlops.yaml names."""
    required = contract_of(patient).kit
    if required is None:
        mend = f"Add `kit: {VERSION}` to mlops.yaml."
        return Diagnosis("kit version", "warn", "mlops.yaml does not name a kit version.", mend)
    if mend := mismatch(required):
        return Diagnosis("kit version", "fail", f"mlops.yaml is for kit {required}, this is {VERSION}.", mend)
    return Diagnosis("kit version", "ok", f"Kit {VERSION}, as in mlops.yaml.")


def identity(patient: Patient) -> Diagnosis:
    """Check that Git has a name and an address for commits."""
    if commits.identity(patient.repository) == {}:
        return Diagnosis("identity", "ok", "Git has your name and address.")
    if runner.on_runner():
        return Diagnosis("identity", "ok", "In CI, mlops-kit is the author of versions.")
    mend = "git config --global user.name NAME && git config --global user.email ADDRESS"
    return Diagnosis("identity", "warn", "Git has no name or address for your commits.", mend)


WORKFLOWS = (".github/workflows/train.yml", ".github/workflows/ci.yml")  # those that wait for a branch


def origin(patient: Patient) -> Diagnosis:
    """Check that there is a remote `origin` and that it answers."""
    repository = patient.repository
    if not repository.has_origin:
        others = repository.git("remote").split()
        mend = "git remote add origin https://github.com/OWNER/NAME.git"
        if others:
            mend = f"git remote rename {'upstream' if 'upstream' in others else others[0]} origin"
        named = f", only {', '.join(others)}" if others else ""
        says = f"There is no Git remote `origin`{named}, so versions stay on this machine."
        return Diagnosis("origin", "warn", says, mend)
    try:
        repository.git_online("ls-remote", "--exit-code", "--quiet", "origin", "HEAD")
    except ProcessError:
        return Diagnosis("origin", "fail", "origin does not answer, or is empty.", "git ls-remote origin")
    return Diagnosis("origin", "ok", f"origin answers ({repository.slug or 'not on GitHub'}).")


def main_branch(patient: Patient) -> Diagnosis:
    """Check that workflows run on pushes to the default branch."""
    repository = patient.repository
    try:
        branch = commits.default_branch(repository)
    except KitError as error:
        raise Unknown("The default branch is unknown.", "git ls-remote --symref origin HEAD") from error
    deaf = [path for path in sorted(WORKFLOWS) if _waits_for_other_branches(repository.text(path), branch)]
    if not deaf:
        return Diagnosis("main branch", "ok", f"Workflows run on pushes to {branch}.")
    says = f"The default branch is {branch}, but {', '.join(deaf)} runs on pushes to another branch."
    mend = f"Write `branches: [{branch}]` under `push:` there, or rename the branch on GitHub (Settings, Branches)."
    return Diagnosis("main branch", "fail", f"{says} Merges start no training.", mend)


def _waits_for_other_branches(text: str | None, branch: str) -> bool:
    """True for a workflow that names branches for `push`, none of them this one."""
    if text is None:
        return False
    triggers = documents.parse_yaml(text, "workflow").get("on")
    push = triggers.get("push") if isinstance(triggers, dict) else None
    patterns = push.get("branches") if isinstance(push, dict) else None
    return bool(patterns) and not any(fnmatch(branch, str(pattern)) for pattern in patterns or ())


def tags(patient: Patient) -> Diagnosis:
    """Check that this clone has all versions of origin."""
    model, repository = contract_of(patient).model, patient.repository
    known = {one.tag for one in version.versions(repository, model)}
    if not repository.has_origin:
        return Diagnosis("tags", "ok", f"{len(known)} versions; there is no origin to compare with.")
    pattern = ref(version_glob(model))
    listed = repository.git_online("ls-remote", "--tags", "--refs", "origin", pattern)
    there = {tag_of(line.split("\t")[1]) for line in listed.splitlines()}
    mend = f"git fetch origin '{pattern}:{pattern}'"
    if missing := sorted(there - known):
        return Diagnosis(
            "tags",
            "warn",
            f"{len(missing)} versions of origin are not in this clone: {', '.join(missing[-5:])}.",
            mend,
        )
    if own := sorted(known - there):
        push = f"git push origin {' '.join(own[:5])}"
        return Diagnosis(
            "tags", "warn", f"{len(own)} versions are only on this machine: {', '.join(own[:5])}.", push
        )
    return Diagnosis("tags", "ok", f"This clone has all {len(there)} versions.")


def hooks(patient: Patient) -> Diagnosis:
    """Check that the Git hooks that keep data out of Git are installed."""
    repository = patient.repository
    if not (repository.root / ".pre-commit-config.yaml").is_file():
        return Diagnosis("hooks", "ok", "This repository has no hooks.")
    if runner.on_runner():
        return Diagnosis("hooks", "ok", "CI runs the hooks itself.")
    hook = Path(repository.git("rev-parse", "--git-path", "hooks/pre-commit").strip())
    if not (repository.root / hook).is_file():
        mend = "uv run pre-commit install"
        return Diagnosis(
            "hooks", "warn", "The Git hooks are not installed, so data can be committed by mistake.", mend
        )
    return Diagnosis("hooks", "ok", "The Git hooks are installed.")
