"""A stub of GitHub's REST API for one repository: it keeps what it was asked and what came of it.

The routes are in routes_*.py. What is not there is answered with 404 and kept in `unknown`.
"""

import contextlib
import itertools
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.act.payloads import REPOSITORY, repository

WRITE_TOKEN = "the-token-of-a-job-that-may-write"
READ_TOKEN = "the-token-of-a-job-that-may-read"
BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # as asked, without the query
    query: dict[str, str]
    body: Any
    token: str
    status: int


@dataclass
class Fault:
    method: str
    path: re.Pattern[str]
    status: int
    times: int
    headers: dict[str, str]
    message: str
    done: bool


class Refused(Exception):
    """An answer of 4xx."""

    def __init__(self, status: int, message: str, *errors: dict[str, str], **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, list(errors)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class Api:
    """The lists may be changed by a test as GitHub's own pages would change them."""

    url: str = ""  # http://127.0.0.1:PORT, set by the server
    issues: list[dict[str, Any]] = field(default_factory=list)  # pull requests too, as on GitHub
    pulls: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)
    dispatches: list[dict[str, Any]] = field(default_factory=list)
    rulesets: list[dict[str, Any]] = field(default_factory=list)
    protection: dict[str, dict[str, Any]] = field(default_factory=dict)  # branch -> rules
    workflows: list[dict[str, Any]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)  # of the repository
    organization_variables: dict[str, str] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    unknown: list[Request] = field(default_factory=list)
    remaining: int = 5000  # of the hour's requests
    _faults: list[Fault] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1001))
    lock: threading.RLock = field(default_factory=threading.RLock)

    # ---- for tests ----

    def fail(
        self,
        method: str,
        path: str,
        status: int = 502,
        times: int = 1,
        *,
        message: str = "Server Error",
        done: bool = False,
        **headers: str,
    ) -> None:
        """The next `times` requests whose path has `path`, a regex, in it; with `done` carried out all the same.

        A status of 0 is no answer: the connection ends.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._faults.append(Fault(method, re.compile(path), status, times, named, message, done))

    def limit(self, method: str, path: str, times: int = 1, *, retry_after: int = 1) -> None:
        """The secondary rate limit."""
        says = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        self.fail(method, path, 403, times, message=says, Retry_After=str(retry_after))

    def asked(self, method: str, path: str) -> list[Request]:
        """What was asked with this method, `path` a regex for the whole path after the repository's."""
        whole = re.compile(rf"/repos/{REPOSITORY}{path}")
        return [
            request for request in self.requests if request.method == method and whole.fullmatch(request.path)
        ]

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Method and path of all that was not a question."""
        start = f"/repos/{REPOSITORY}"
        return [(r.method, r.path.removeprefix(start)) for r in self.requests if r.method != "GET"]

    def issue(self, number: int) -> dict[str, Any]:
        return self._one(self.issues, number)

    def pull(self, number: int) -> dict[str, Any]:
        return self._one(self.pulls, number)

    def comments_of(self, number: int) -> list[dict[str, Any]]:
        return [comment for comment in self.comments if comment["issue_url"].endswith(f"/issues/{number}")]

    # ---- for the forge and the routes ----

    def open_pull(self, head: str, title: str, body: str = "", base: str = "main", *, by: str = "ada") -> int:
        """`head` is OWNER:BRANCH; the number of the open one, if there is one."""
        with self.lock:
            for pull in self.pulls:
                if pull["state"] == "open" and pull["head"]["label"] == head:
                    return int(pull["number"])
            user = {"login": by, "type": "User"}
            issue = self.add_issue(title, body, [], user)
            number = issue["number"]
            issue["pull_request"] = {"url": self.at(f"pulls/{number}")}
            owner, _, branch = head.partition(":")
            home = repository(
                name=f"{owner}/{REPOSITORY.split('/')[1]}", fork=not REPOSITORY.startswith(f"{owner}/")
            )
            more = {
                "url": self.at(f"pulls/{number}"),
                "html_url": f"https://github.com/{REPOSITORY}/pull/{number}",
                "issue_url": issue["url"],
                "comments_url": issue["comments_url"],
                "draft": False,
                "merged": False,
                "head": {"label": head, "ref": branch, "sha": "", "repo": home, "user": {"login": owner}},
                "base": {"label": f"acme:{base}", "ref": base, "sha": "", "repo": repository()},
            }
            self.pulls.append(issue | more)
            del self.pulls[-1]["pull_request"]
            return int(number)

    def add_issue(self, title: str, body: str, labels: list[str], user: dict[str, Any]) -> dict[str, Any]:
        number = len(self.issues) + 1
        found = {
            "id": self.id(),
            "number": number,
            "url": self.at(f"issues/{number}"),
            "html_url": f"https://github.com/{REPOSITORY}/issues/{number}",
            "comments_url": self.at(f"issues/{number}/comments"),
            "title": title,
            "body": body,
            "state": "open",
            "state_reason": None,
            "labels": [self.label(name) for name in labels],
            "user": user,
            "comments": 0,
            "created_at": now(),
            "updated_at": now(),
            "closed_at": None,
        }
        self.issues.append(found)
        return found

    def label(self, name: str, color: str = "ededed", description: str = "") -> dict[str, Any]:
        """Made where there is none, as GitHub does for an issue."""
        for found in self.labels:
            if found["name"].lower() == name.lower():
                return found
        more = {"color": color, "description": description, "default": False}
        self.labels.append({"id": self.id(), "name": name, "url": self.at(f"labels/{name}"), **more})
        return self.labels[-1]

    @contextlib.contextmanager
    def running(self, workflow: str, event: str, commit: str, branch: str) -> Iterator[dict[str, Any]]:
        """A workflow run that the API shows; its conclusion is set by whoever runs it."""
        with self.lock:
            id_ = self.id()
            run = {
                "id": id_,
                "url": self.at(f"actions/runs/{id_}"),
                "html_url": f"https://github.com/{REPOSITORY}/actions/runs/{id_}",
                "name": workflow.rpartition(".")[0],
                "path": f".github/workflows/{workflow}",
                "event": event,
                "head_branch": branch,
                "head_sha": commit,
                "status": "in_progress",
                "conclusion": None,
                "created_at": now(),
                "run_started_at": now(),
                "updated_at": now(),
            }
            self.runs.insert(0, run)
        try:
            yield run
        finally:
            run |= {"status": "completed", "updated_at": now(), "conclusion": run["conclusion"] or "failure"}

    def fault(self, method: str, path: str) -> Fault | None:
        for fault in self._faults:
            if fault.times > 0 and fault.method == method and fault.path.search(path):
                fault.times -= 1
                return fault
        return None

    def id(self) -> int:
        return next(self._ids)

    def at(self, path: str) -> str:
        return f"{self.url}/repos/{REPOSITORY}/{path}"

    def _one(self, among: list[dict[str, Any]], number: int) -> dict[str, Any]:
        for found in among:
            if found["number"] == number:
                return found
        raise Refused(404, "Not Found")


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
