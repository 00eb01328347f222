"""The only module that talks to GitHub."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

from mlops_kit.base import clock, deadline, github_env
from mlops_kit.base.credentials import token
from mlops_kit.base.errors import KitError
from mlops_kit.base.masking import masked
from mlops_kit.forge import github_errors, github_redirects, github_size
from mlops_kit.forge.workflow_runs import WorkflowRuns
from mlops_kit.project.repository import Repository

if TYPE_CHECKING:
    from github.Issue import Issue
    from github.IssueComment import IssueComment
    from github.Repository import Repository as Remote

LONGEST = 65_536  # characters that GitHub takes in a comment or an issue
TIMEOUT = 20  # seconds without a byte
SECONDS = 60.0  # for one text in one place, with all calls and pauses
LABEL = "mlops-alarm"
UNLIKE_GITHUB = (ValueError, LookupError, TypeError, AttributeError)  # of reading an answer that is another's


@dataclass(frozen=True)
class Workflow:
    state: str  # active, disabled_inactivity, disabled_manually, ...
    last_run: datetime | None
    conclusion: str | None  # of that run; None while it is going on
    url: str | None


@dataclass(frozen=True)
class Placed:
    """A comment, an issue or a pull request that is as it should be now."""

    url: str
    number: int
    done: str  # created, updated, reopened, closed, unchanged
    since: datetime | None = None  # of an alarm: when it began

    def __post_init__(self) -> None:
        if not self.url:
            raise ValueError("no address of what was asked for")


def get_ready() -> None:
    """Imports the client beside what else is done: it takes half a second in a new job, and Git mostly waits."""
    if token():
        Thread(target=import_module, args=("github",), daemon=True).start()


def _placed(issue: "Issue", done: str) -> Placed:
    return Placed(issue.html_url, issue.number, done, issue.created_at)


def slug_of(repository: Repository) -> str | None:
    """OWNER/NAME, as the runner says or origin."""
    return github_env.repository() or repository.slug


def marker(kind: str, name: str) -> str:
    """The hidden first line by which a text of ours is found again."""
    return f"<!-- mlops-kit:{kind}:{re.sub(r'[^A-Za-z0-9._/]+', '-', name)} -->"


def pages(repository: Repository) -> str:
    """What the address of each page of the repository begins with; empty where origin is not on GitHub."""
    slug = slug_of(repository)
    return f"{github_env.server_url()}/{slug}/" if slug else ""


def api() -> str:
    """Address of GitHub's API, of a server of one's own too. Raises KitError for what is none."""
    address = github_env.api_url()
    if not re.match(r"https?://\w", address):
        raise KitError(
            f"{github_env.API_URL} is no address: {address!r}.",
            f"Unset it for {github_env.API}, or https://HOST/api/v3 of your own.",
        )
    return address


def connect(repository: Repository) -> "GitHub":
    """Asks nothing yet. Raises KitError without a token, or where origin is not on GitHub."""
    slug = slug_of(repository)
    if not slug:
        raise KitError(
            f"Neither {github_env.REPOSITORY} nor origin names a repository on GitHub.",
            "`git remote add origin https://github.com/OWNER/NAME.git`.",
        )
    if not token():
        raise KitError(
            f"No token for {slug}: neither {github_env.TOKEN} nor {github_env.GH_TOKEN} is set.",
            f"In a workflow `env: {{{github_env.TOKEN}: ${{{{ github.token }}}}}}`; here `{github_env.EXPORT_TOKEN}`.",
        )
    return GitHub(slug)


class GitHub(WorkflowRuns):
    """One repository on GitHub, with the token and API address of the environment."""

    def __init__(self, slug: str) -> None:
        import logging

        from github import Auth, Github, set_log_level

        from mlops_kit.forge.github_retry import Patience

        github_redirects.follow()
        set_log_level(logging.WARNING)  # by itself it writes each refusal to stderr

        self.slug = slug
        self._silent = ""  # how it failed to answer; then it is not waited for again
        self._client = Github(
            auth=Auth.Token(token() or ""),
            base_url=api(),
            user_agent="mlops-kit",
            timeout=TIMEOUT,
            per_page=100,
            retry=Patience(),
            lazy=True,  # a repository is not asked for before something of it is
            # PyGithub's own pauses are for scripts with hundreds of calls; we make a handful.
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    @property
    def _remote(self) -> "Remote":
        return self._client.get_repo(self.slug)

    @contextmanager
    def _asking(self, kind: str, what: str) -> Iterator[None]:
        """Turns what PyGithub raises into one error with status, what was asked and what to do."""
        from github import GithubException
        from requests import RequestException

        asked = f"{what} of {self.slug}"
        if self._silent:
            raise github_errors.unreachable(api(), self._silent, asked)
        try:
            with deadline.within(SECONDS):
                yield
        except deadline.TimeOver:
            self._silent = f"not done within {SECONDS:g} s"
            raise github_errors.unreachable(api(), self._silent, asked) from None
        except github_size.TooLongError as error:
            self._silent = str(error)
            raise github_errors.not_github(api(), error, asked) from None
        except GithubException as error:
            raise github_errors.explain(error, kind, asked) from None
        except RequestException as error:
            self._silent = type(error).__name__
            raise github_errors.unreachable(api(), self._silent, asked) from None
        except UNLIKE_GITHUB as error:
            raise github_errors.not_github(api(), error, asked) from None

    # ---- one text in one place ----

    def comment_in_place(self, number: int, mark: str, text: str) -> Placed:
        """The one comment of a pull request that begins with the mark, whoever wrote it.

        Of two the newest is kept: two runs at once may both have found none.
        """
        body = _body(mark, text)
        with self._asking("comment", f"comment on pull request {number}"):
            issue = self._remote.get_issue(number)
            comments = _comments_with(issue.get_comments(), mark)
            if not comments:
                return Placed(issue.create_comment(body).html_url, number, "created")
            *older, newest = comments
            for comment in older:
                comment.delete()
            if newest.body != body:
                newest.edit(body)
                return Placed(newest.html_url, number, "updated")
            return Placed(newest.html_url, number, "unchanged")

    def raise_alarm(
        self,
        mark: str,
        title: str,
        text: str,
        labels: tuple[str, ...] = (LABEL,),
        back_within: timedelta = timedelta(0),
    ) -> Placed:
        """One open issue an alarm: updated while it lasts, not repeated.

        One that was closed within `back_within` is opened again: an alarm that comes and goes is one alarm.
        """
        body = _body(mark, text)
        with self._asking("alarm", f"issue {title!r}"):
            issues = self._alarms(mark)
            if not issues:
                return self._reopen(mark, title, body, back_within) or self._create(title, body, labels)
            first, *repeated = issues
            for issue in repeated:
                issue.edit(state="closed", state_reason="not_planned")
            if (first.title, first.body) == (title, body):
                return _placed(first, "unchanged")
            first.edit(title=title, body=body)
            return _placed(first, "updated")

    def _create(self, title: str, body: str, labels: tuple[str, ...]) -> Placed:
        return _placed(self._remote.create_issue(title, body, labels=list(labels)), "created")

    def _reopen(self, mark: str, title: str, body: str, within: timedelta) -> Placed | None:
        since = datetime.now(UTC) - within
        for issue in self._remote.get_issues(state="closed", since=since) if within else ():
            ended = issue.closed_at
            if ended and ended >= since and _starts(issue.body, mark) and issue.state_reason == "completed":
                issue.edit(title=title, body=body, state="open")
                issue.create_comment("It is back.")
                return _placed(issue, "reopened")
        return None

    def clear_alarm(self, mark: str, text: str) -> Placed | None:
        """Says why it is over and how long it lasted, and closes it. None where no such alarm is open."""
        with self._asking("alarm", "issue of an alarm"):
            issues = self._alarms(mark)
            for issue in issues:
                lasted = clock.lasting(datetime.now(UTC) - issue.created_at)
                issue.create_comment(f"{text[: LONGEST - 100]}\n\nIt lasted {lasted}.")
                issue.edit(state="closed", state_reason="completed")
            return _placed(issues[0], "closed") if issues else None

    def page_in_place(self, mark: str, title: str, text: str, news: str, labels: tuple[str, ...]) -> Placed:
        """One open issue whose text is the newest page; a comment tells its followers of it."""
        body = _body(mark, text)
        with self._asking("alarm", f"issue {title!r}"):
            issues = self._alarms(mark)
            if not issues:
                return self._create(title, body, labels)
            issue = issues[0]
            if issue.body == body:
                return _placed(issue, "unchanged")
            issue.edit(title=title, body=body)
            issue.create_comment(news)
            return _placed(issue, "updated")

    def _alarms(self, mark: str) -> list["Issue"]:
        """The open issues with the mark, oldest first. A person may have removed the label, so it is not used."""
        issues = self._remote.get_issues(state="open", sort="created", direction="asc")
        return [issue for issue in issues if _starts(issue.body, mark) and issue.pull_request is None]

    def pull_request_in_place(self, branch: str, base: str, title: str, text: str) -> Placed:
        """Create the open pull request from the branch, or update it."""
        with self._asking("pull request", f"pull request from {branch} to {base}"):
            owner = self.slug.partition("/")[0]
            for pull in self._remote.get_pulls(state="open", base=base, head=f"{owner}:{branch}"):
                if (pull.title, pull.body) == (title, text[:LONGEST]):
                    return Placed(pull.html_url, pull.number, "unchanged")
                pull.edit(title=title, body=text[:LONGEST])
                return Placed(pull.html_url, pull.number, "updated")
            created = self._remote.create_pull(base=base, head=branch, title=title, body=text[:LONGEST])
            return Placed(created.html_url, created.number, "created")

    def had_pull_request(self, branch: str, commit: str) -> bool:
        """True if a pull request from the branch is open, or if there was one for this commit."""
        with self._asking("pull request", f"pull requests from {branch}"):
            head = f"{self.slug.partition('/')[0]}:{branch}"
            pulls = self._remote.get_pulls(state="all", head=head)
            return any(pull.state == "open" or pull.head.sha == commit for pull in pulls)

    def dispatch(self, event: str, payload: dict[str, Any]) -> None:
        """Starts the workflows that listen for the event. Raises KitError for more than ten keys."""
        if len(payload) > 10:
            raise KitError(f"{len(payload)} keys in the payload of {event}; GitHub takes ten.", "Nest some.")
        content = {"event_type": event, "client_payload": payload}
        with self._asking("dispatch", f"dispatch of {event}"):  # PyGithub's own call hides a refusal
            self._client.requester.requestJsonAndCheck(
                "POST", f"/repos/{self.slug}/dispatches", input=content
            )

    # ---- how the repository is set ----

    def rulesets(self) -> list[dict[str, Any]]:
        """All rulesets with conditions and rules, those of the organisation included."""
        with self._asking("rules", "rulesets"):
            listed = self._get("/rulesets?per_page=100")
            return [self._get(f"/rulesets/{ruleset['id']}") for ruleset in listed]

    def permissions(self) -> dict[str, bool]:
        """Of the token's owner: pull, push, admin and so on."""
        with self._asking("repository", "permissions"):
            return dict(self._about()["permissions"] or {})

    def variables(self) -> dict[str, str]:
        """The variables that workflows read as `vars`: of the organisation, and of the repository, which come first."""
        with self._asking("variables", "variables"):
            listed = [
                self._get(f"/actions/{kind}?per_page=30")["variables"]
                for kind in ("organization-variables", "variables")
            ]
        return {one["name"]: one["value"] for part in listed for one in part}

    def default_branch(self) -> str:
        with self._asking("repository", "default branch"):
            return str(self._about()["default_branch"])

    def workflow(self, file: str, event: str = "schedule") -> Workflow:
        """State of a workflow, and its newest run that this event started."""
        with self._asking("workflow", f"workflow {file}"):
            state = self._get(f"/actions/workflows/{file}")["state"]
            runs = self._get(f"/actions/workflows/{file}/runs?event={event}&per_page=1")["workflow_runs"]
        if not runs:
            return Workflow(state, None, None, None)
        run = runs[0]
        return Workflow(
            state, datetime.fromisoformat(run["created_at"]), run.get("conclusion"), run.get("html_url")
        )

    def _about(self) -> dict[str, Any]:
        answer = self._get("")
        return {"default_branch": answer["default_branch"], "permissions": answer.get("permissions")}

    def _get(self, path: str) -> Any:
        """PyGithub has no call for rulesets; the others ask for less this way."""
        return self._client.requester.requestJsonAndCheck("GET", f"/repos/{self.slug}{path}")[1]


def _comments_with(comments: Any, mark: str) -> list["IssueComment"]:
    """The comments that begin with the mark, oldest first. One that only quotes the mark is a person's own."""
    return sorted(
        (comment for comment in comments if _starts(comment.body, mark)), key=lambda comment: comment.id
    )


def _starts(body: str | None, mark: str) -> bool:
    return (body or "").lstrip().startswith(mark)


def _body(mark: str, text: str) -> str:
    return f"{mark}\n{masked(text)}"[:LONGEST]
