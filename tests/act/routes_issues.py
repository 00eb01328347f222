"""Issues, comments and labels, by the documented protocol: https://docs.github.com/rest"""

from typing import Any

from tests.act.api import BOT, Refused, now
from tests.act.routes import Answer, Call, invalid, needs, route, short_enough, touched


@route("GET", "/issues")
def list_issues(call: Call) -> Answer:
    """Pull requests are among them."""
    wanted = set(filter(None, call.query.get("labels", "").split(",")))
    state, who = call.query.get("state", "open"), call.query.get("creator")
    found = [
        issue
        for issue in reversed(call.api.issues)
        if state in (issue["state"], "all")
        and wanted <= {label["name"] for label in issue["labels"]}
        and who in (None, issue["user"]["login"])
        and issue["updated_at"] >= call.query.get("since", "")
    ]
    return 200, found[::-1] if call.query.get("direction") == "asc" else found


@route("POST", "/issues")
def create_issue(call: Call) -> Answer:
    needs(call, "Issue", "title")
    short_enough(call, "Issue")
    labels = [label["name"] if isinstance(label, dict) else label for label in call.body.get("labels", [])]
    return 201, call.api.add_issue(call.body["title"], call.body.get("body") or "", labels, BOT)


@route("GET", "/issues/N")
def get_issue(call: Call) -> Answer:
    return 200, call.api.issue(call.number)


@route("PATCH", "/issues/N")
def edit_issue(call: Call) -> Answer:
    short_enough(call, "Issue")
    issue = call.api.issue(call.number)
    issue |= {key: call.body[key] for key in ("title", "body", "state", "state_reason") if key in call.body}
    if "state" in call.body:
        issue["closed_at"] = now() if call.body["state"] == "closed" else None
    if "labels" in call.body:
        issue["labels"] = [call.api.label(name) for name in call.body["labels"]]
    return 200, touched(issue)


@route("GET", "/issues/N/labels")
def list_labels_of(call: Call) -> Answer:
    return 200, call.api.issue(call.number)["labels"]


@route("POST", "/issues/N/labels")
def add_labels(call: Call) -> Answer:
    issue = call.api.issue(call.number)
    names = call.body["labels"] if isinstance(call.body, dict) else call.body
    issue["labels"] += [new for name in names if (new := call.api.label(name)) not in issue["labels"]]
    return 200, issue["labels"]


@route("DELETE", "/issues/N/labels/X")
def remove_label(call: Call) -> Answer:
    issue = call.api.issue(call.number)
    kept = [label for label in issue["labels"] if label["name"] != call.parts[1]]
    if kept == issue["labels"]:
        raise Refused(404, "Label does not exist")
    issue["labels"] = kept
    return 200, kept


# ---- comments and labels ----


@route("GET", "/issues/N/comments")
def list_comments(call: Call) -> Answer:
    call.api.issue(call.number)
    return 200, call.api.comments_of(call.number)


@route("POST", "/issues/N/comments")
def create_comment(call: Call) -> Answer:
    issue = call.api.issue(call.number)
    needs(call, "IssueComment", "body")
    short_enough(call, "IssueComment")
    id_ = call.api.id()
    comment = {
        "id": id_,
        "url": call.api.at(f"issues/comments/{id_}"),
        "html_url": f"{issue['html_url']}#issuecomment-{id_}",
        "issue_url": issue["url"],
        "body": call.body["body"],
        "user": BOT,
        "created_at": now(),
        "updated_at": now(),
    }
    call.api.comments.append(comment)
    issue["comments"] += 1
    touched(issue)
    return 201, comment


def _comment(call: Call) -> dict[str, Any]:
    for comment in call.api.comments:
        if comment["id"] == call.number:
            return comment
    raise Refused(404, "Not Found")


@route("GET", "/issues/comments/N")
def get_comment(call: Call) -> Answer:
    return 200, _comment(call)


@route("PATCH", "/issues/comments/N")
def edit_comment(call: Call) -> Answer:
    comment = _comment(call)
    needs(call, "IssueComment", "body")
    short_enough(call, "IssueComment")
    comment |= {"body": call.body["body"], "updated_at": now()}
    return 200, comment


@route("DELETE", "/issues/comments/N")
def delete_comment(call: Call) -> Answer:
    call.api.comments.remove(_comment(call))
    return 204, None


@route("GET", "/labels")
def list_labels(call: Call) -> Answer:
    return 200, call.api.labels


@route("GET", "/labels/X")
def get_label(call: Call) -> Answer:
    for label in call.api.labels:
        if label["name"].lower() == call.parts[0].lower():
            return 200, label
    raise Refused(404, "Not Found")


@route("POST", "/labels")
def create_label(call: Call) -> Answer:
    needs(call, "Label", "name")
    if any(label["name"].lower() == call.body["name"].lower() for label in call.api.labels):
        raise invalid("Label", "name", "already_exists")
    color, description = call.body.get("color", "ededed"), call.body.get("description", "")
    return 201, call.api.label(call.body["name"], color, description)
