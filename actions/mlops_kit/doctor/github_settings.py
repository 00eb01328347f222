"""How the repository is set on GitHub: token, rules, schedule."""

import fnmatch
from datetime import timedelta
from typing import Any

from mlops_kit.alerts import heartbeat
from mlops_kit.doctor.diagnosis import Diagnosis, Patient, Unknown, contract_of, hub_of
from mlops_kit.versions import tags

OLDEST = timedelta(days=2)
SWITCH_ON = "gh api 'repos/{{owner}}/{{repo}}/rulesets' --input .github/{file}"


def token(patient: Patient) -> Diagnosis:
    """Check that the token is valid and has access to this repository."""
    may = hub_of(patient).permissions()
    if not may:  # a job's own token: what it may do stands in the workflow
        return Diagnosis("token", "ok", "The token is valid. The job's `permissions:` limit it.")
    if not may.get("push"):
        says = "The token is read-only. It cannot write versions, comments or alarms."
        return Diagnosis("token", "warn", says, "Use a token with write access.")
    return Diagnosis(
        "token", "ok", f"The token has the permissions {', '.join(name for name, yes in may.items() if yes)}."
    )


def branch_rule(patient: Patient) -> Diagnosis:
    """Check that the default branch requires a review and tests."""
    hub = hub_of(patient)
    main = hub.default_branch()
    rules = _rules(hub.rulesets(), "branch", f"refs/heads/{main}", default=True)
    required = {"pull_request": "review", "required_status_checks": "required checks"}
    missing = [word for kind, word in required.items() if kind not in rules]
    if missing:
        says = f"No active rule requires {' and '.join(missing)} on {main}."
        return Diagnosis("branch rule", "warn", says, SWITCH_ON.format(file="ruleset.json"))
    return Diagnosis("branch rule", "ok", f"{main} requires review and checks.")


def tag_rule(patient: Patient) -> Diagnosis:
    """Check that the tags of versions cannot be moved, and that new ones can be created."""
    model = contract_of(patient).model
    rules = _rules(hub_of(patient).rulesets(), "tag", tags.ref(tags.version_tag(model, "v0.0.0")))
    every = tags.version_glob(model)
    if "creation" in rules:
        says = f"A rule forbids to create tags {every}, so no version can be registered."
        mend = f"On GitHub, Settings, Rules: remove `restrict creations` for {every}, or add GitHub Actions to the bypass list."
        return Diagnosis("tag rule", "fail", says, mend)
    if missing := {"deletion", "update"} - rules:
        says = f"No active rule forbids {' and '.join(sorted(missing))} of {every} tags: a version could be moved."
        return Diagnosis("tag rule", "warn", says, SWITCH_ON.format(file="ruleset-tags.json"))
    return Diagnosis(
        "tag rule", "ok", f"Tags {every} cannot be moved or deleted, and new ones can be created."
    )


def stage_rule(patient: Patient) -> Diagnosis:
    """Check that only the workflow can promote, if mlops.yaml requires approvals."""
    contract = contract_of(patient)
    every = tags.stage_glob(contract.model)
    if contract.promotion != "approved":
        return Diagnosis(
            "stage rule", "ok", "Everybody with write access can promote (`promotion: open` in mlops.yaml)."
        )
    stage = tags.ref(tags.stage_tag(contract.model, "production", 1))
    if "creation" not in _rules(hub_of(patient).rulesets(), "tag", stage):
        says = (
            f"mlops.yaml has `promotion: approved`, but no active rule forbids others to create {every} tags."
        )
        mend = "The page docs/how-to/versions.md of mlops-new has the rule and the command."
        return Diagnosis("stage rule", "warn", says, mend)
    return Diagnosis("stage rule", "ok", f"A rule limits who can create {every} tags.")


def schedule(patient: Patient) -> Diagnosis:
    """The daily workflow is switched on and has run in the last two days."""
    file = heartbeat.schedule_file(patient.repository)
    if file is None:
        return Diagnosis("schedule", "ok", f"This repository has no {heartbeat.SCHEDULES[0]}.")
    workflow = hub_of(patient).workflow(file)
    enable = f"gh workflow enable {file}"
    if workflow.state != "active":
        return Diagnosis(
            "schedule", "fail", f"{file} is switched off ({workflow.state}): nothing is watched.", enable
        )
    if workflow.last_run is None:
        raise Unknown(f"{file} has not run yet.", f"gh workflow run {file}")
    age = patient.now - workflow.last_run
    if age > OLDEST:
        says = f"{file} ran last on {workflow.last_run:%Y-%m-%d}, {age.days} days ago."
        return Diagnosis("schedule", "fail", says, f"{enable} && gh workflow run {file}")
    if workflow.conclusion not in (None, "success", "skipped"):
        return Diagnosis(
            "schedule", "warn", f"The last run of {file}: {workflow.conclusion}.", workflow.url or ""
        )
    return Diagnosis("schedule", "ok", f"{file} ran on {workflow.last_run:%Y-%m-%d %H:%M} UTC.")


def _rules(rulesets: list[dict[str, Any]], target: str, ref: str, *, default: bool = False) -> set[str]:
    """Kinds of rules that are active for the ref."""
    kinds: set[str] = set()
    for ruleset in rulesets:
        if (
            ruleset.get("target") == target
            and ruleset.get("enforcement") == "active"
            and _covers(ruleset, ref, default)
        ):
            kinds |= {str(rule.get("type")) for rule in ruleset.get("rules") or []}
    return kinds


def _covers(ruleset: dict[str, Any], ref: str, default: bool) -> bool:
    names = (ruleset.get("conditions") or {}).get("ref_name") or {}

    def matches(pattern: str) -> bool:
        if pattern in ("~ALL", "~DEFAULT_BRANCH"):
            return pattern == "~ALL" or default
        return fnmatch.fnmatchcase(ref, pattern)

    included, excluded = names.get("include") or [], names.get("exclude") or []
    return any(map(matches, included)) and not any(map(matches, excluded))
