"""The events that GitHub would send: the fields that workflows read."""

from collections.abc import Mapping
from typing import Any

REPOSITORY = "acme/flights"
NOBODY = "0" * 40


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` wins; mappings are merged, lists are replaced."""
    both = dict(base) | dict(over)
    for key in base.keys() & over.keys():
        if isinstance(base[key], dict) and isinstance(over[key], dict):
            both[key] = merged(base[key], over[key])
    return both


def repository(*, fork: bool = False, name: str = REPOSITORY) -> dict[str, Any]:
    owner, short = name.split("/")
    return {
        "name": short,
        "full_name": name,
        "owner": {"login": owner, "type": "Organization"},
        "default_branch": "main",
        "fork": fork,
        "private": False,
        "html_url": f"https://github.com/{name}",
    }


def of(event: str, commit: str, before: str, message: str, actor: str, *, fork: bool) -> dict[str, Any]:
    """Of any event but a pull request's."""
    base: dict[str, Any] = {"repository": repository(fork=fork), "sender": {"login": actor, "type": "User"}}
    who = {"name": actor, "email": f"{actor}@example.com", "username": actor}
    change = {"id": commit, "message": message, "author": who, "committer": who}
    more: dict[str, dict[str, Any]] = {
        "push": {
            "ref": "refs/heads/main",
            "before": before,
            "after": commit,
            "created": before == NOBODY,
            "deleted": False,
            "forced": False,
            "head_commit": change,
            "commits": [change],
            "pusher": {"name": actor, "email": f"{actor}@example.com"},
            "compare": f"https://github.com/{REPOSITORY}/compare/{before[:12]}...{commit[:12]}",
        },
        "workflow_dispatch": {"ref": "refs/heads/main", "inputs": {}},
        "repository_dispatch": {"action": "", "branch": "main", "client_payload": {}},
        "schedule": {"schedule": "23 5 * * *"},
    }
    return base | more.get(event, {})


def pull_request(pull: Mapping[str, Any], action: str, actor: str) -> dict[str, Any]:
    """`pull` as the API gives it."""
    return {
        "action": action,
        "number": pull["number"],
        "pull_request": dict(pull),
        "repository": repository(),
        "sender": {"login": actor, "type": "User"},
    }
