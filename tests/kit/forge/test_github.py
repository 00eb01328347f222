"""One comment, one issue, one pull request - whatever GitHub answers meanwhile."""

import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from github import GithubException
from mlops_kit.base.errors import KitError
from mlops_kit.forge import github, github_errors
from mlops_kit.forge.github import GitHub, marker
from mlops_kit.forge.github_errors import GitHubError
from mlops_kit.project.repository import Repository

from tests.act.api import READ_TOKEN, WRITE_TOKEN, Api
from tests.loopback import address, listening

MARK = marker("report", "flights")
COMMENTS = "/issues/1/comments"


@pytest.fixture
def hub(on_github: Api, repository: Repository) -> GitHub:
    on_github.open_pull("acme:x", "A change")
    return github.connect(repository)


def said_by(api: Api, who: str, body: str) -> None:
    comment = {"id": api.id(), "body": body, "issue_url": api.at("issues/1"), "user": {"login": who}}
    comment |= {"url": api.at(f"issues/comments/{comment['id']}"), "html_url": "https://github.com/x"}
    api.comments.append(comment)


def bodies(api: Api) -> list[str]:
    return [comment["body"] for comment in api.comments_of(1)]


def test_the_comment_is_made_then_updated_then_left(hub: GitHub, api: Api) -> None:
    assert hub.comment_in_place(1, MARK, "first").done == "created"
    assert hub.comment_in_place(1, MARK, "second").done == "updated"
    assert hub.comment_in_place(1, MARK, "second").done == "unchanged"
    assert bodies(api) == [f"{MARK}\nsecond"]


def test_two_models_have_two_comments(hub: GitHub, api: Api) -> None:
    hub.comment_in_place(1, MARK, "a")
    hub.comment_in_place(1, marker("report", "trains"), "b")
    assert len(bodies(api)) == 2


def test_it_is_found_behind_pages_of_others_and_by_any_author(hub: GitHub, api: Api) -> None:
    for number in range(230):
        said_by(api, "somebody", f"comment {number}, which quotes {MARK}")
        if number == 205:
            said_by(api, "another-bot[bot]", f"{MARK}\nold")
    assert hub.comment_in_place(1, MARK, "new").done == "updated"
    assert len(bodies(api)) == 231 and bodies(api)[206] == f"{MARK}\nnew"
    assert not api.asked("DELETE", ".*")


def test_of_two_the_newest_is_kept(hub: GitHub, api: Api) -> None:
    said_by(api, "github-actions[bot]", f"{MARK}\nolder")
    said_by(api, "github-actions[bot]", f"{MARK}\nnewer")
    newest = api.comments[-1]["id"]
    hub.comment_in_place(1, MARK, "now")
    assert [(one["id"], one["body"]) for one in api.comments_of(1)] == [(newest, f"{MARK}\nnow")]


def test_an_alarm_is_one_issue_until_it_is_over(hub: GitHub, api: Api) -> None:
    mark = marker("alarm", "data-drift")
    assert hub.raise_alarm(mark, "Drift", "dep_delay moved").done == "created"
    api.issues[-1]["labels"] = []  # somebody took the label off
    assert hub.raise_alarm(mark, "Drift", "dep_delay moved more").done == "updated"
    assert [issue["body"] for issue in api.issues[1:]] == [f"{mark}\ndep_delay moved more"]
    cleared = hub.clear_alarm(mark, "Over since today.")
    assert cleared and cleared.done == "closed" and api.issues[1]["state"] == "closed"
    assert hub.clear_alarm(mark, "Over.") is None
    assert len(api.comments_of(2)) == 1
    hub.raise_alarm(mark, "Drift", "again")
    assert len(api.issues) == 3


def test_a_pull_request_that_begins_like_an_alarm_is_none(hub: GitHub, api: Api) -> None:
    mark = marker("alarm", "data-drift")
    api.issue(1)["body"] = f"{mark}\nI copied this"
    assert hub.clear_alarm(mark, "Over.") is None
    assert hub.raise_alarm(mark, "Drift", "moved").done == "created"
    assert api.issue(1)["state"] == "open" and len(api.issues) == 2


def test_a_pull_request_is_brought_up_to_date(hub: GitHub, api: Api) -> None:
    assert hub.pull_request_in_place("mlops/data", "main", "New data", "10 rows").done == "created"
    assert hub.pull_request_in_place("mlops/data", "main", "New data", "20 rows").done == "updated"
    assert [pull["body"] for pull in api.pulls[1:]] == ["20 rows"]


def test_a_dispatch_has_at_most_ten_keys(hub: GitHub, api: Api) -> None:
    hub.dispatch("new-data", {"rows": 5})
    assert api.dispatches == [{"event_type": "new-data", "client_payload": {"rows": 5}}]
    with pytest.raises(KitError, match="11 keys"):
        hub.dispatch("new-data", {str(key): 1 for key in range(11)})


def test_a_rate_limit_is_waited_for_as_asked(hub: GitHub, api: Api, slept: list[float]) -> None:
    api.limit("POST", "comments", times=2, retry_after=7)
    hub.comment_in_place(1, MARK, "x")
    assert [seconds for seconds in slept if seconds >= 1] == [7, 7]
    assert len(bodies(api)) == 1


def test_a_rate_limit_of_an_hour_is_not_waited_for(hub: GitHub, api: Api, slept: list[float]) -> None:
    api.limit("GET", "comments", retry_after=3600)
    with pytest.raises(GitHubError, match=r"(?s)403.*try again in"):
        hub.comment_in_place(1, MARK, "x")
    assert sum(slept) < 120


def test_a_question_is_asked_again_after_a_5xx(hub: GitHub, api: Api, slept: list[float]) -> None:
    api.fail("GET", "comments", 502, times=3)
    hub.comment_in_place(1, MARK, "x")
    assert len(bodies(api)) == 1 and slept


def test_a_comment_that_came_through_in_spite_of_a_502_is_not_repeated(hub: GitHub, api: Api) -> None:
    api.fail("POST", "comments", 502, done=True)
    with pytest.raises(GitHubError, match="502"):
        hub.comment_in_place(1, MARK, "x")
    hub.comment_in_place(1, MARK, "y")
    assert bodies(api) == [f"{MARK}\ny"]


CREATES: dict[str, Callable[[GitHub], object]] = {
    "/comments": lambda hub: hub.comment_in_place(1, MARK, "x"),
    "/issues$": lambda hub: hub.raise_alarm(MARK, "Drift", "x"),
    "/pulls$": lambda hub: hub.pull_request_in_place("mlops/data", "main", "New data", "x"),
    "/dispatches$": lambda hub: hub.dispatch("new-data", {}),
}


@pytest.mark.parametrize("path", CREATES)
@pytest.mark.parametrize("status", [0, 404, 422, 500, 502])
def test_what_creates_is_sent_once_and_its_failure_told(
    path: str, status: int, hub: GitHub, api: Api, slept: list[float]
) -> None:
    """No answer is like a 502: nobody knows whether it was done."""
    api.fail("POST", path, status, done=True)
    with pytest.raises(GitHubError) as error:
        CREATES[path](hub)
    assert (error.value.status, len(api.writes)) == (status, 1)
    assert not slept


@pytest.mark.parametrize("status", [0, 502])
def test_what_changes_is_sent_again(status: int, hub: GitHub, api: Api, slept: list[float]) -> None:
    hub.comment_in_place(1, MARK, "x")
    api.fail("PATCH", "comments", status, done=True)
    assert hub.comment_in_place(1, MARK, "y").done == "updated"
    assert bodies(api) == [f"{MARK}\ny"]


def test_who_does_not_answer_is_not_waited_for_twice(hub: GitHub, api: Api, slept: list[float]) -> None:
    api.fail("GET", "", 0, times=99)
    for ask in (hub.rulesets, hub.permissions):
        with pytest.raises(GitHubError, match="could not be reached"):
            ask()
    assert len(api.requests) == 3


def test_every_refusal_says_what_to_do(hub: GitHub, api: Api) -> None:
    for status, tip in {
        404: "Is it there?",
        409: "Try again",
        410: "issues switched on",
        422: "issues",
    }.items():
        api.fail("POST", "/issues$", status, message="It is so")
        with pytest.raises(
            GitHubError, match=f"GitHub answered {status} to issue 'Drift' of .*: It is so."
        ) as error:
            hub.raise_alarm(MARK, "Drift", "x")
        assert tip in error.value.do


def test_what_github_minds_of_a_field_is_told() -> None:
    minds = [
        {"message": "No commits between main and mlops/data"},
        {"field": "base", "code": "invalid"},
        "odd",
    ]
    error = GithubException(422, {"message": "Validation Failed", "errors": minds}, {})
    said = github_errors.explain(error, "pull request", "x").what
    assert said.endswith("Validation Failed; No commits between main and mlops/data; base invalid; odd.")


def test_a_rate_limit_of_an_hour_says_until_when() -> None:
    error = GithubException(403, {"message": "API rate limit exceeded"}, {"X-RateLimit-Reset": "1764430800"})
    assert github_errors.explain(error, "alarm", "x").do == "A rate limit: try again after 15:40 UTC."


def test_a_503_for_ever_is_an_error_in_words(hub: GitHub, api: Api, slept: list[float]) -> None:
    api.fail("GET", "", 503, times=99)
    with pytest.raises(GitHubError) as error:
        hub.rulesets()
    assert error.value.status == 503 and "githubstatus" in error.value.do


@pytest.mark.parametrize(
    ("call", "permission"),
    [
        (lambda hub: hub.comment_in_place(1, MARK, "x"), "pull-requests: write"),
        (lambda hub: hub.raise_alarm(MARK, "t", "x"), "issues: write"),
        (lambda hub: hub.dispatch("new-data", {}), "contents: write"),
    ],
)
def test_a_missing_permission_is_named(
    on_github: Api, repository: Repository, monkeypatch: pytest.MonkeyPatch, call: Any, permission: str
) -> None:
    on_github.open_pull("acme:x", "A change")
    monkeypatch.setenv("GITHUB_TOKEN", READ_TOKEN)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with pytest.raises(GitHubError) as error:
        call(github.connect(repository))
    assert error.value.status == 403
    assert f"permissions: {{{permission}}}" in error.value.do and "fork" in error.value.do


def test_a_token_that_expired_says_so(
    on_github: Api, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_expired")
    with pytest.raises(GitHubError, match="expired") as error:
        github.connect(repository).permissions()
    assert error.value.status == 401


def test_no_network_is_an_error_in_words(
    on_github: Api, repository: Repository, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    with pytest.raises(GitHubError, match=r"could not be reached at http://127\.0\.0\.1:9"):
        github.connect(repository).permissions()


@pytest.mark.parametrize(
    "answer", [b"<html>Log in to the network</html>", b'[{"number": 1, "bo', b'{"a": 1}', b"null"]
)
def test_what_is_not_githubs_answer_is_said_to_be(
    answer: bytes, on_github: Api, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that asks for a login, half an answer, another server."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Proxy)) as server:
        monkeypatch.setenv("GITHUB_API_URL", address(server))
        hub = github.connect(repository)
        for ask in (hub.default_branch, hub.permissions, lambda: hub.raise_alarm(MARK, "t", "x")):
            with pytest.raises(
                GitHubError, match=f"What {address(server)} answered is not GitHub's"
            ) as error:
                ask()
            assert "GITHUB_API_URL" in error.value.do


def test_an_address_that_is_none_is_refused(
    on_github: Api, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in ("nonsense", "ftp://github.com", "http://"):
        monkeypatch.setenv("GITHUB_API_URL", wrong)
        with pytest.raises(KitError, match=f"GITHUB_API_URL is no address: '{wrong}'"):
            github.connect(repository)


def test_the_token_is_in_no_message(
    on_github: Api, repository: Repository, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    """Not even where GitHub, or something between, sends it back."""
    for status in (401, 403, 404, 422, 500, 503):
        on_github.fail("GET", "", status, times=9, message=f"no access for {WRITE_TOKEN}")
        with pytest.raises(GitHubError) as error:
            github.connect(repository).permissions()
        assert "no access for ***" in error.value.what
        assert WRITE_TOKEN not in "".join(traceback.format_exception(error.value))
        on_github._faults.clear()


def test_without_a_token_or_an_origin_it_says_which(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KitError, match="origin"):
        github.connect(repository)
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/flights")
    with pytest.raises(KitError, match="No token for acme/flights"):
        github.connect(repository)


def test_a_marker_cannot_be_ended_from_inside() -> None:
    assert marker("alarm", "a --> <b> x") == "<!-- mlops-kit:alarm:a-b-x -->"


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_repository_that_was_renamed_is_found(
    status: int, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Renamed(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append(f"{self.command} {self.path}")
            old = self.path.startswith("/repos/acme/old")
            self.send_response(status if old else 200)
            if old:
                self.send_header("Location", f"{address(server)}/repositories/7{self.path[15:]}")
            issue = b'{"number": 7, "html_url": "http://x/7", "created_at": "2026-12-01T00:00:00Z"}'
            content = b"[]" if self.command == "GET" else issue
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Renamed)) as server:
        monkeypatch.setenv("GITHUB_API_URL", address(server))
        monkeypatch.setenv("GITHUB_TOKEN", "token")
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/old")
        placed = github.connect(repository).raise_alarm(MARK, "Title", "Text")
    assert (placed.number, placed.done) == (7, "created")
    assert "POST /repositories/7/issues" in asked
    listed = next(one for one in asked if one.startswith("GET /repositories/7/issues"))
    assert "state=open" in listed  # what follows `?` goes along
