"""The stub of GitHub's API, by the client that is used against the real one."""

from collections.abc import Iterator
from typing import Any

import pytest
from github import Auth, Github, GithubException, GithubRetry
from github.Repository import Repository

from tests.act.api import READ_TOKEN, WRITE_TOKEN, Api
from tests.act.payloads import REPOSITORY


def client(api: Api, token: str = WRITE_TOKEN) -> Github:
    retry = GithubRetry(total=2, backoff_factor=0.01, secondary_rate_wait=0)
    return Github(
        base_url=api.url,
        auth=Auth.Token(token),
        retry=retry,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )


@pytest.fixture
def repository(api: Api) -> Iterator[Repository]:
    with client(api) as github:
        yield github.get_repo(REPOSITORY)
    assert api.unknown == []


def test_an_issue_is_made_found_changed_and_closed(repository: Repository, api: Api) -> None:
    repository.create_issue("Other")
    made = repository.create_issue("Drift", body="<!-- alarm:drift -->", labels=["alarm"])
    (found,) = repository.get_issues(labels=["alarm"])
    assert (found.number, found.title, found.user.login) == (made.number, "Drift", "github-actions[bot]")
    assert "alarm:drift" in found.body
    found.edit(body="worse", labels=["alarm", "urgent"])
    comment = found.create_comment("first")
    comment.edit("second")
    assert [of.body for of in repository.get_issue(found.number).get_comments()] == ["second"]
    found.edit(state="closed", state_reason="completed")
    assert list(repository.get_issues(labels=["alarm"])) == []
    (closed,) = repository.get_issues(state="closed", labels=["urgent"])
    assert closed.closed_at is not None
    assert api.issue(made.number)["body"] == "worse"
    assert [method for method, _ in api.writes] == ["POST", "POST", "PATCH", "POST", "PATCH", "PATCH"]
    assert {request.token for request in api.requests} == {WRITE_TOKEN}


def test_pages_are_followed_to_the_last(repository: Repository, api: Api) -> None:
    issue = repository.create_issue("Many")
    for number in range(65):
        issue.create_comment(str(number))
    assert [comment.body for comment in issue.get_comments()] == [str(number) for number in range(65)]
    assert [request.query.get("page") for request in api.asked("GET", "/issues/1/comments")] == [
        None,
        "2",
        "3",
    ]
    assert issue.get_comments().reversed[0].body == "64"


def test_a_pull_request_is_made_found_by_its_branch_and_changed(repository: Repository) -> None:
    made = repository.create_pull(base="main", head="mlops/data", title="New data", body="rows")
    (found,) = repository.get_pulls(state="open", head="acme:mlops/data")
    assert (found.number, found.head.ref, found.base.ref) == (made.number, "mlops/data", "main")
    found.edit(body="more rows")
    found.create_issue_comment("trained")
    assert repository.get_pull(made.number).body == "more rows"
    assert [comment.body for comment in found.get_issue_comments()] == ["trained"]
    assert [issue.pull_request is not None for issue in repository.get_issues()] == [True]
    with pytest.raises(GithubException, match=r"A pull request already exists for acme:mlops/data\."):
        repository.create_pull(base="main", head="mlops/data", title="Again")


def test_labels_rules_workflows_and_dispatches(repository: Repository, api: Api) -> None:
    repository.create_label("alarm", "ff0000")
    assert [label.name for label in repository.get_labels()] == ["alarm"]
    with pytest.raises(GithubException, match="already_exists"):
        repository.create_label("alarm", "ff0000")
    assert repository.default_branch == "main"
    assert not repository.get_branch("main").protected
    assert repository.permissions.push
    rules = [{"type": "pull_request", "parameters": {}}]
    api.rulesets.append(
        {"id": 7, "name": "main", "enforcement": "active", "target": "branch", "rules": rules}
    )
    assert [rule["type"] for rule in asked(repository, "/rules/branches/main")] == ["pull_request"]
    assert "rules" not in asked(repository, "/rulesets")[0]
    assert asked(repository, "/rulesets/7")["rules"] == rules
    api.workflows.append({"id": 3, "name": "train", "path": ".github/workflows/train.yml", "state": "active"})
    with api.running("train.yml", "push", "c0ffee", "main"):
        assert [run.status for run in repository.get_workflow("train.yml").get_runs()] == ["in_progress"]
    assert [run.conclusion for run in repository.get_workflow_runs(event="push")] == ["failure"]
    repository.create_repository_dispatch("new-data", {"path": "x"})
    assert api.dispatches == [{"event_type": "new-data", "client_payload": {"path": "x"}}]
    assert not repository.create_repository_dispatch("new-data", {str(key): key for key in range(11)})


def asked(repository: Repository, path: str) -> Any:
    return repository.requester.requestJsonAndCheck("GET", repository.url + path)[1]


def test_what_is_missing_or_too_long_is_named(repository: Repository) -> None:
    with pytest.raises(GithubException, match=r"422.*body is too long"):
        repository.create_issue("Long", body="x" * 65537)
    with pytest.raises(GithubException, match=r"404.*Not Found"):
        repository.get_issue(99)


def test_a_token_that_may_only_read_writes_nothing(repository: Repository, api: Api) -> None:
    with (
        client(api, READ_TOKEN) as github,
        pytest.raises(GithubException, match="Resource not accessible by"),
    ):
        github.get_repo(REPOSITORY).create_issue("No")
    with client(api, "somebody-elses") as github, pytest.raises(GithubException, match="Bad credentials"):
        github.get_repo(REPOSITORY)
    assert api.issues == []


def test_faults_come_as_often_as_asked_and_can_be_outlived(repository: Repository, api: Api) -> None:
    api.fail("GET", "/issues$", 502, times=2)
    api.limit("POST", "/issues$", retry_after=0)
    assert list(repository.get_issues()) == []
    repository.create_issue("After the limit")
    assert [request.status for request in api.asked("GET", "/issues")] == [502, 502, 200]
    assert [request.status for request in api.asked("POST", "/issues")] == [403, 201]


def test_an_answer_can_be_lost_after_the_deed(repository: Repository, api: Api) -> None:
    api.fail("POST", "/issues$", 502, done=True)
    repository.create_issue("Once")  # the client tries again, and GitHub cannot know that it is the same
    assert [issue["title"] for issue in api.issues] == ["Once", "Once"]


def test_what_the_stub_does_not_have_is_kept(api: Api) -> None:
    with client(api) as github:
        repository = github.get_repo(REPOSITORY)
        for path in ("/stargazers", "/issues/99"):
            with pytest.raises(GithubException, match="404"):
                asked(repository, path)
    assert [request.path for request in api.unknown] == [f"/repos/{REPOSITORY}/stargazers"]
