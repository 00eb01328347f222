"""Workflows as `mlops-kit doctor` reads them: our actions by commit, and a role of their own for pull requests."""

from pathlib import Path

import pytest
from mlops_kit.project.repository import Repository

from tests.act.api import Api
from tests.kit.doctor.harness import found

COMMIT = "c" * 40
USES = "on: push\njobs:\n  a:\n    steps:\n      - uses: o/mlops/actions/setup@{0}\n      - uses: o/mlops/actions/{2}@{1}\n"
LOGIN = """\
on: {on}
jobs:
  a:
    steps:
      - run: "true"
      - uses: {action}@{commit} # v1.0.0
        with: {{{input}: "{role}"}}
"""
AWS = {"action": "aws-actions/configure-aws-credentials", "input": "role-to-assume"}
GOOGLE = {"action": "google-github-actions/auth", "input": "service_account"}
OURS = {"action": "o/mlops/actions/login", "input": "role-to-assume"}
VENDORED = {"action": "./.github/mlops-kit/login", "input": "role-to-assume"}


def write(repository: Repository, name: str, text: str) -> None:
    path = repository.root / ".github/workflows" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def logs_in(repository: Repository, name: str, on: str, role: str, provider: dict[str, str] = AWS) -> None:
    write(repository, name, LOGIN.format(on=on, role=role, commit=COMMIT, **provider))


def of(variable: str) -> str:
    return f"${{{{ vars.{variable} }}}}"


# ---- our actions ----


@pytest.mark.parametrize(
    ("setup", "ref", "status"),
    [
        (COMMIT, COMMIT, "ok"),
        ("v0.1.0", "v0.1.0", "warn"),
        (COMMIT, "main", "warn"),
        (COMMIT, COMMIT[:12], "warn"),
    ],
)
def test_our_actions(repository: Repository, setup: str, ref: str, status: str) -> None:
    write(repository, "train.yml", USES.format(setup, ref, "train"))
    one = found(repository, "our actions")
    assert one.status == status
    assert status == "ok" or ("train.yml names o/mlops/actions/" in one.says and "pin=commit" in one.mend)


def test_actions_of_others_and_our_own_copy_are_not_asked_about(repository: Repository) -> None:
    write(
        repository,
        "ci.yml",
        "on: push\njobs: {a: {steps: [{uses: other/tools/actions/build@v1}, {uses: ./x}]}}\n",
    )
    one = found(repository, "our actions")
    assert (one.status, one.says) == ("ok", "No workflow takes our actions from outside.")


@pytest.mark.parametrize(
    "text",
    ["", "- a list\n", "jobs: []\n", "jobs: {a: 1}\n", "jobs: {a: {steps: [1]}}\n", "{", "on:\njobs:\n"],
)
def test_what_is_no_workflow_is_left_to_github(repository: Repository, text: str) -> None:
    write(repository, "odd.yml", text)
    assert found(repository, "our actions").status == "ok"
    assert found(repository, "roles").status == "ok"


# ---- roles ----


@pytest.mark.parametrize(
    "on", ["pull_request", "[push, pull_request]", "{pull_request: {paths: [x]}}", "pull_request_target"]
)
def test_one_variable_for_both_is_found_without_github(repository: Repository, on: str) -> None:
    logs_in(repository, "ci.yml", on, of("AWS_ROLE"))
    assert found(repository, "roles").status == "ok"  # main does not log in
    logs_in(repository, "train.yml", "push", of("AWS_ROLE"))
    one = found(repository, "roles")
    assert one.status == "warn" and "ci.yml and train.yml" in one.says and "AWS_READ_ROLE" in one.mend


def test_two_variables_need_github(repository: Repository) -> None:
    logs_in(repository, "ci.yml", "pull_request", of("AWS_READ_ROLE"))
    logs_in(repository, "train.yml", "push", of("AWS_ROLE"))
    assert found(repository, "roles").status == "unknown"


@pytest.mark.parametrize(
    ("provider", "read", "write_"),
    [
        (AWS, "AWS_READ_ROLE", "AWS_ROLE"),
        (GOOGLE, "GOOGLE_READ_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT"),
        (OURS, "AWS_READ_ROLE", "AWS_ROLE"),
        (OURS, "GOOGLE_READ_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT"),
        (VENDORED, "AZURE_READ_CLIENT_ID", "AZURE_CLIENT_ID"),
    ],
)
def test_two_variables_with_one_role(
    repository: Repository, on_github: Api, provider: dict[str, str], read: str, write_: str
) -> None:
    logs_in(repository, "ci.yml", "pull_request", of(read), provider)
    logs_in(repository, "train.yml", "push", of(write_), provider)
    assert found(repository, "roles").status == "ok"  # neither is set
    on_github.organization_variables[write_] = "writer"
    one = found(repository, "roles")
    assert one.status == "warn" and one.mend.startswith(f"gh variable set {read}")
    on_github.variables[read] = "writer"
    one = found(repository, "roles")
    assert one.status == "warn" and "one role (writer)" in one.says and read in one.mend
    on_github.variables[write_] = "another writer"  # the repository's own comes first
    assert found(repository, "roles").status == "ok"
    assert not on_github.unknown


def test_our_login_has_a_role_for_each_cloud(repository: Repository, on_github: Api) -> None:
    readers = f"{of('AWS_READ_ROLE')} {of('GOOGLE_READ_SERVICE_ACCOUNT')} {of('AZURE_READ_CLIENT_ID')}"
    writers = f"{of('AWS_ROLE')} {of('GOOGLE_SERVICE_ACCOUNT')} {of('AZURE_CLIENT_ID')}"
    logs_in(repository, "ci.yml", "pull_request", readers, OURS)
    logs_in(repository, "train.yml", "push", writers, OURS)
    on_github.variables |= {"AWS_ROLE": "main", "AWS_READ_ROLE": "pulls", "AZURE_CLIENT_ID": "one"}
    one = found(repository, "roles")
    assert one.status == "warn" and one.mend.startswith("gh variable set AZURE_READ_CLIENT_ID")
    on_github.variables["AZURE_READ_CLIENT_ID"] = "two"
    assert found(repository, "roles").status == "ok"


@pytest.mark.parametrize(
    ("role", "variable"),
    [
        ("arn:aws:iam::123456789012:role/dvc", "AWS_READ_ROLE"),
        ("dvc@acme.iam.gserviceaccount.com", "GOOGLE_READ_SERVICE_ACCOUNT"),
        ("72f988bf-86f1-41af-91ab-2d7cd011db47", "AZURE_READ_CLIENT_ID"),
    ],
)
def test_a_role_that_is_written_out_is_of_one_cloud(repository: Repository, role: str, variable: str) -> None:
    logs_in(repository, "ci.yml", "pull_request", role, OURS)
    logs_in(repository, "train.yml", "push", role, OURS)
    assert f"gh variable set {variable}" in found(repository, "roles").mend


def test_a_role_of_one_cloud_says_nothing_of_the_other(repository: Repository, on_github: Api) -> None:
    logs_in(repository, "ci.yml", "pull_request", of("AWS_READ_ROLE"))
    logs_in(repository, "train.yml", "push", of("GOOGLE_SERVICE_ACCOUNT"), GOOGLE)
    assert found(repository, "roles").status == "ok"


def test_variables_that_the_token_cannot_read_are_unknown(repository: Repository, on_github: Api) -> None:
    logs_in(repository, "ci.yml", "pull_request", of("AWS_READ_ROLE"))
    logs_in(repository, "train.yml", "push", of("AWS_ROLE"))
    on_github.fail("GET", "variables", 403, times=9, message="Resource not accessible by integration")
    one = found(repository, "roles")
    assert one.status == "unknown" and "variables: read" in one.mend


def test_the_workflows_of_the_template_are_right(repository: Repository) -> None:
    folder = Path(__file__).parents[3] / "template/.github/workflows"
    for name in ("ci", "train"):
        text = (folder / f"{name}.yml.jinja").read_text()
        roles = [line.split(":", 1)[1] for line in text.splitlines() if "role-to-assume:" in line]
        logs_in(repository, f"{name}.yml", "pull_request" if name == "ci" else "push", roles[0].strip())
    assert found(repository, "roles").status == "unknown"  # two variables: what they hold, GitHub knows
