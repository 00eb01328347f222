"""What GitHub said when it said no, in words that help."""

from datetime import UTC, datetime
from typing import Any

from mlops_kit.base import github_env
from mlops_kit.base.errors import KitError
from mlops_kit.base.masking import masked

LONGEST = 500  # characters of what GitHub said
NEEDS = {  # what a token needs for what we ask, where GitHub's answer does not say so
    "comment": "pull-requests: write",
    "alarm": "issues: write",
    "pull request": "pull-requests: write",
    "dispatch": "contents: write",
    "rules": "metadata: read",
    "workflow": "actions: read",
    "workflow start": "actions: write",
    "repository": "metadata: read",
    "variables": "variables: read",
}


class GitHubError(KitError):
    """GitHub said no, or nothing; `status` is 0 where it could not be reached."""

    def __init__(self, status: int, what: str, do: str = "") -> None:
        super().__init__(what, do)
        self.status = status


def explain(error: Any, kind: str, what: str) -> GitHubError:
    """PyGithub's error in words: 401 and 403 name the permission, a rate limit says when it ends."""
    status = int(error.status or 0)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    message = _message(error.data)
    words = f"GitHub answered {status} to {what}{f': {message}' if message else ''}"
    if "retry-after" in headers or "rate limit" in message.lower() or status == 429:
        return GitHubError(status, f"{words.rstrip('.')}.", f"A rate limit: try again {_when(headers)}.")
    return GitHubError(status, f"{words.rstrip('.')}.", _mend(status, kind, headers))


def _message(data: Any) -> str:
    """GitHub's message in one line, with the errors of each field."""
    if not isinstance(data, dict):
        return ""
    problems = [
        str(problem.get("message") or f"{problem.get('field')} {problem.get('code')}")
        if isinstance(problem, dict)
        else str(problem)
        for problem in data.get("errors") or []
    ]
    return masked(" ".join("; ".join([str(data.get("message") or ""), *problems]).split()))[:LONGEST]


def _when(headers: dict[str, str]) -> str:
    if wait := headers.get("retry-after"):
        return f"in {wait} s"
    reset = headers.get("x-ratelimit-reset", "")
    return (
        f"after {datetime.fromtimestamp(int(reset), UTC):%H:%M} UTC" if reset.isdigit() else "in some minutes"
    )


def unreachable(address: str, why: str, what: str) -> GitHubError:
    return GitHubError(
        0,
        f"GitHub could not be reached at {address} ({why}): {what}.",
        "Is the network up? https://www.githubstatus.com says how GitHub is.",
    )


def not_github(address: str, error: Exception, what: str) -> GitHubError:
    """Whoever answered: a proxy that asks for a login, another server, half an answer."""
    return GitHubError(
        0,
        f"What {address} answered is not GitHub's ({type(error).__name__}: {error}): {what}.",
        f"Look whether {github_env.API_URL} is right and no proxy answers in its place; else it is our bug: please report it.",
    )


def _mend(status: int, kind: str, headers: dict[str, str]) -> str:
    needed = headers.get("x-accepted-github-permissions", "").replace("=", ": ").replace("_", "-")
    ways = [way.strip() for way in needed.split(";") if way.strip()]
    line = NEEDS[kind] if NEEDS[kind] in ways or not ways else ways[0]
    if status in (301, 302, 307, 308):
        return "Was it renamed or moved? `git remote set-url origin ADDRESS` names the new address."
    if status == 401:
        return f"The token is not valid or has expired: set a new {github_env.TOKEN} (`gh auth token`)."
    if status == 404:
        return f"Is it there? To a token without `{line}` GitHub says 404 too."
    if status == 403 and github_env.on_runner():
        return (
            f"Does the job have `permissions: {{{line}}}`? A pull request from a fork gets a read-only token "
            "whatever the workflow says."
        )
    if status == 403:
        return f"The token needs `{line}` on the repository."
    if status in (410, 422) and kind == "alarm":
        return "Are issues switched on? Settings, General, Features."
    if status >= 500:
        return "https://www.githubstatus.com says how GitHub is."
    return "Try again; if it stays so, `mlops-kit doctor` looks at token and rules."
