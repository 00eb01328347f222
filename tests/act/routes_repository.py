"""The repository, its rules, pull requests and workflows, by the documented protocol: https://docs.github.com/rest"""

from typing import Any

from tests.act.api import BOT, Refused
from tests.act.payloads import REPOSITORY, repository
from tests.act.routes import Answer, Call, invalid, needs, route, touched

DISPATCH_KEYS = 10

# ---- the repository and its rules ----


@route("GET", "")
def get_repository(call: Call) -> Answer:
    may = {"admin": False, "maintain": False, "push": call.may_write, "triage": True, "pull": True}
    more = {
        "id": 1,
        "url": call.api.at("")[:-1],
        "permissions": may,
        "visibility": "public",
        "archived": False,
    }
    return 200, repository() | more


@route("GET", "/branches/X")
def get_branch(call: Call) -> Answer:
    name = call.parts[0]
    protected = name in call.api.protection or bool(call.api.rulesets)
    return 200, {"name": name, "protected": protected, "commit": {"sha": ""}, "protection": {}}


@route("GET", "/branches/X/protection")
def get_protection(call: Call) -> Answer:
    if call.parts[0] not in call.api.protection:
        raise Refused(404, "Branch not protected")
    return 200, call.api.protection[call.parts[0]]


@route("GET", "/rulesets")
def list_rulesets(call: Call) -> Answer:
    """Without their rules, as on GitHub."""
    long = ("rules", "conditions", "bypass_actors")
    return 200, [{k: v for k, v in rules.items() if k not in long} for rules in call.api.rulesets]


@route("GET", "/rulesets/N")
def get_ruleset(call: Call) -> Answer:
    for rules in call.api.rulesets:
        if rules["id"] == call.number:
            return 200, rules
    raise Refused(404, "Not Found")


@route("GET", "/rules/branches/X")
def list_rules(call: Call) -> Answer:
    """Of all active rule sets for branches; their conditions are not looked at."""
    active = [
        rules
        for rules in call.api.rulesets
        if rules.get("target", "branch") == "branch" and rules.get("enforcement", "active") == "active"
    ]
    return 200, [rule | {"ruleset_id": rules["id"]} for rules in active for rule in rules.get("rules", [])]


def _listed(variables: dict[str, str]) -> Answer:
    found = [{"name": name, "value": value} for name, value in variables.items()]
    return 200, {"total_count": len(found), "variables": found}


@route("GET", "/actions/variables")
def list_variables(call: Call) -> Answer:
    return _listed(call.api.variables)


@route("GET", "/actions/organization-variables")
def list_organization_variables(call: Call) -> Answer:
    return _listed(call.api.organization_variables)


# ---- pull requests ----


@route("GET", "/pulls")
def list_pulls(call: Call) -> Answer:
    state, head, base = (call.query.get(key) for key in ("state", "head", "base"))
    return 200, [
        pull
        for pull in reversed(call.api.pulls)
        if (state or "open") in (pull["state"], "all")
        and head in (None, pull["head"]["label"])
        and base in (None, pull["base"]["ref"])
    ]


@route("POST", "/pulls")
def create_pull(call: Call) -> Answer:
    needs(call, "PullRequest", "head", "base", "title")
    head = (
        call.body["head"] if ":" in call.body["head"] else f"{REPOSITORY.split('/')[0]}:{call.body['head']}"
    )
    if any(pull["state"] == "open" and pull["head"]["label"] == head for pull in call.api.pulls):
        raise invalid("PullRequest", "head", "custom", f"A pull request already exists for {head}.")
    title, body = call.body["title"], call.body.get("body") or ""
    number = call.api.open_pull(head, title, body, call.body["base"], by=str(BOT["login"]))
    return 201, call.api.pull(number)


@route("GET", "/pulls/N")
def get_pull(call: Call) -> Answer:
    return 200, call.api.pull(call.number)


@route("PATCH", "/pulls/N")
def edit_pull(call: Call) -> Answer:
    keys = ("title", "body", "state")
    changed: dict[str, Any] = {key: call.body[key] for key in keys if key in call.body}
    call.api.issue(call.number).update(changed)
    touched(call.api.issue(call.number))
    pull = call.api.pull(call.number)
    pull |= changed
    return 200, touched(pull)


# ---- workflows ----


@route("POST", "/dispatches")
def dispatch(call: Call) -> Answer:
    needs(call, "RepositoryDispatch", "event_type")
    if len(call.body.get("client_payload") or {}) > DISPATCH_KEYS:
        raise Refused(422, f"No more than {DISPATCH_KEYS} properties are allowed; client_payload has more.")
    call.api.dispatches.append(call.body)
    return 204, None


@route("POST", "/actions/workflows/X/dispatches")
def dispatch_workflow(call: Call) -> Answer:
    needs(call, "WorkflowDispatch", "ref")
    call.api.dispatches.append({"workflow": call.parts[0]} | call.body)
    return 204, None


@route("GET", "/actions/workflows")
def list_workflows(call: Call) -> Answer:
    return 200, {"total_count": len(call.api.workflows), "workflows": call.api.workflows}


@route("GET", "/actions/workflows/X")
def get_workflow(call: Call) -> Answer:
    for workflow in call.api.workflows:
        if call.parts[0] in (str(workflow["id"]), workflow["path"].rpartition("/")[2]):
            return 200, workflow
    raise Refused(404, "Not Found")


@route("PUT", "/actions/workflows/X/enable")
def enable_workflow(call: Call) -> Answer:
    workflow = get_workflow(call)[1]
    workflow["state"] = "active"
    return 204, None


@route("GET", "/actions/runs")
@route("GET", "/actions/workflows/X/runs")
def list_runs(call: Call) -> Answer:
    """The newest first."""
    asked = {
        "event": call.query.get("event"),
        "head_branch": call.query.get("branch"),
        "head_sha": call.query.get("head_sha"),
        "path": f".github/workflows/{call.parts[0]}" if call.parts else None,
    }
    state = call.query.get("status")
    found = [
        run
        for run in call.api.runs
        if all(value in (None, run[key]) for key, value in asked.items())
        and state in (None, run["status"], run["conclusion"])
    ]
    return 200, {"total_count": len(found), "workflow_runs": found}


@route("GET", "/actions/runs/N")
def get_run(call: Call) -> Answer:
    for run in call.api.runs:
        if run["id"] == call.number:
            return 200, run
    raise Refused(404, "Not Found")


@route("GET", "/actions/runs/N/jobs")
def get_jobs(call: Call) -> Answer:
    """Of a workflow whose jobs all ran, unless the run says which it has."""
    run = get_run(call)[1]
    ran = [{"name": "move", "status": "completed", "conclusion": "success"}]
    return 200, {"jobs": run.get("jobs", ran)}
