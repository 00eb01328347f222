"""The harness itself, on a repository of two jobs: what a run shows, what reaches it, what does not."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.act.api import READ_TOKEN, WRITE_TOKEN
from tests.act.forge import Forge
from tests.act.payloads import REPOSITORY
from tests.act.small import CHECKOUT, DOWNLOAD, UPLOAD, small

TRAIN = f"""
name: train
on: [push, pull_request]
concurrency: {{group: train, queue: max, cancel-in-progress: false}}
jobs:
  train:
    runs-on: ${{{{ vars.RUNS_ON || 'ubuntu-24.04' }}}}
    outputs:
      auc: ${{{{ steps.fit.outputs.auc }}}}
    steps:
      - uses: {CHECKOUT}
        with: {{persist-credentials: false}}
      - id: fit
        name: Fit
        run: |
          mkdir handover && cp rows.txt handover/ && touch handover/.hidden
          echo "auc=0.7$(wc -l < rows.txt)" >> "$GITHUB_OUTPUT"
          echo "## trained" >> "$GITHUB_STEP_SUMMARY"
          printf '\\033[1mbold\\033[0m\\n'
          echo "::notice title=model::auc of $(wc -l < rows.txt) rows"
          echo "::warning::few rows"
      - name: Gate
        run: if grep -q bad rows.txt; then echo "::error file=rows.txt::bad rows"; exit 10; fi
      - uses: {UPLOAD}
        with: {{name: handover, path: handover}}
  register:
    needs: train
    if: github.event_name == 'push'
    runs-on: ubuntu-24.04
    steps:
      - uses: {CHECKOUT}
      - uses: {DOWNLOAD}
        with: {{name: handover, path: got}}
      - name: Register
        env:
          AUC: ${{{{ needs.train.outputs.auc }}}}
        run: |
          ls -A got
          git -c user.name=kit -c user.email=kit@example.com tag -a -m "auc $AUC" "v$AUC"
          git push origin "v$AUC"
"""
BOTH = {"train": "success", "register": "success"}


@pytest.fixture
def two_jobs(empty_forge: Forge) -> Forge:
    empty_forge.merge("Start", {".github/workflows/train.yml": TRAIN, "rows.txt": "1\n2\n"})
    return empty_forge


# ---- what is seen ----


def test_a_push_trains_and_registers(two_jobs: Forge) -> None:
    run = two_jobs.run("train.yml").must(BOTH)
    assert run.code == 0
    assert run.commit == two_jobs.git("rev-parse", "HEAD")
    assert run.steps["train"]["Fit"] == "success"
    assert list(run.steps["register"]) == [CHECKOUT, DOWNLOAD, "Register"]
    assert run.outputs["train"]["fit"] == {"auc": "0.72"}
    assert run.summaries == {"train": {"Fit": "## trained\n"}}
    assert (run.notices, run.warnings, run.errors) == (["auc of 2 rows"], ["few rows"], [])
    assert run.messages[0].title == "model"
    assert "bold\n" in run.log_of("train")
    assert "\x1b" not in run.log
    assert two_jobs.show("v0.72").startswith("tag v0.72")
    assert list(two_jobs.refs()) == ["v0.72"]


def test_artifacts_are_kept_without_hidden_files(two_jobs: Forge) -> None:
    run = two_jobs.run("train.yml").must(BOTH)
    assert run.artifact_names() == ["handover"]
    assert [path.name for path in run.artifact("handover").iterdir()] == ["rows.txt"]
    assert ".hidden" not in run.log_of("register")


def test_a_failing_step_ends_its_job_and_skips_the_next(two_jobs: Forge) -> None:
    two_jobs.merge("Bad rows", {"rows.txt": "bad\n"})
    run = two_jobs.run("train.yml").must({"train": "failure"})
    assert run.code == 1
    assert run.steps["train"] == {CHECKOUT: "success", "Fit": "success", "Gate": "failure"}
    assert run.errors == ["bad rows"]
    assert run.messages[-1].file == "rows.txt"
    assert two_jobs.refs() == {}
    with pytest.raises(AssertionError, match=r"(?s)'train': 'failure'}, not {'train': 'success'.*bad rows"):
        run.must(BOTH)


def test_only_what_was_pushed_runs_and_an_older_commit_can(two_jobs: Forge) -> None:
    first = two_jobs.git("rev-parse", "HEAD")
    two_jobs.merge("Three", {"rows.txt": "1\n2\n3\n"})
    two_jobs.commit("Four, not pushed", {"rows.txt": "1\n2\n3\n4\n"})
    two_jobs.run("train.yml").must(BOTH)
    run = two_jobs.run("train.yml", at=first, attempt=2).must(BOTH)
    assert run.commit == first
    assert sorted(two_jobs.refs()) == ["v0.72", "v0.73"]


def test_runs_at_once_do_not_meet(two_jobs: Forge) -> None:
    first = two_jobs.git("rev-parse", "HEAD")
    second = two_jobs.merge("Three", {"rows.txt": "1\n2\n3\n"})
    with ThreadPoolExecutor() as threads:
        for run in threads.map(lambda at: two_jobs.run("train.yml", at=at), (first, second)):
            run.must(BOTH)
    assert sorted(two_jobs.refs()) == ["v0.72", "v0.73"]
    assert [run["conclusion"] for run in two_jobs.api.runs] == ["success", "success"]


# ---- events ----


def test_a_pull_request_runs_its_merge_with_main(two_jobs: Forge) -> None:
    two_jobs.git("switch", "--quiet", "--create", "try")
    two_jobs.commit("Try", {"more.txt": "x\n"})
    number = two_jobs.pull_request("try", "Try it")
    two_jobs.git("switch", "--quiet", "main")
    two_jobs.merge("Meanwhile", {"rows.txt": "1\n2\n3\n"})
    run = two_jobs.run("train.yml", "pull_request", pull=number).must({"train": "success"})
    assert run.outputs["train"]["fit"] == {"auc": "0.73"}
    two_jobs.git("switch", "--quiet", "try")
    two_jobs.commit("Try again", {"more.txt": "y\n"})
    assert two_jobs.pull_request("try") == number
    assert [pull["title"] for pull in two_jobs.api.pulls] == ["Try it"]


EVENT = """
- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
- name: Say
  env:
    NUMBER: ${{ github.event.pull_request.number }}
    FORK: ${{ github.event.pull_request.head.repo.fork || github.event.repository.fork }}
    SECRET: ${{ secrets.DVC_PASSWORD }}
    VARIABLE: ${{ vars.AWS_ROLE }}
    REASON: ${{ inputs.reason }}
    PAYLOAD: ${{ github.event.client_payload.rows }}
    TOKEN: ${{ github.token }}
  run: |
    echo "$GITHUB_REPOSITORY $GITHUB_REF $GITHUB_RUN_ATTEMPT $GITHUB_ACTOR"
    echo "number=$NUMBER fork=$FORK secret=${#SECRET} variable=$VARIABLE reason=$REASON payload=$PAYLOAD"
    echo "head $(git rev-parse HEAD) of $GITHUB_SHA"
    curl --silent --fail-with-body --header "Authorization: Bearer $TOKEN" "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues" \\
      --data '{"title": "from a run"}' || echo "refused $?"
    git tag x && git push origin x || echo "not pushed"
"""


def said(forge: Forge, event: str, **more: Any) -> str:
    given: dict[str, Any] = {
        "variables": {"AWS_ROLE": "role-of-acme"},
        "secrets": {"DVC_PASSWORD": "not-a-real-one"},
    }
    run = forge.run("small.yml", event, **given, **more)
    return run.must({"a": "success"}).log_of("a")


def test_an_event_reaches_the_steps(empty_forge: Forge) -> None:
    small(empty_forge, EVENT)
    text = said(empty_forge, "workflow_dispatch", inputs={"reason": "cadence"}, attempt=3, actor="eve")
    assert f"{REPOSITORY} refs/heads/main 3 eve\n" in text
    assert "number= fork=false secret=14 variable=role-of-acme reason=cadence payload=\n" in text
    commit = empty_forge.git("rev-parse", "HEAD")
    assert f"head {commit} of {commit}\n" in text
    with pytest.raises(AssertionError, match=r"small.yml has no inputs \[.who.\]"):
        said(empty_forge, "workflow_dispatch", inputs={"who": "me"})
    text = said(empty_forge, "repository_dispatch", payload={"client_payload": {"rows": 5}})
    assert "payload=5\n" in text


def test_a_job_speaks_to_the_api_and_pushes(empty_forge: Forge) -> None:
    small(empty_forge, EVENT)
    said(empty_forge, "push")
    assert [issue["title"] for issue in empty_forge.api.issues] == ["from a run"]
    assert empty_forge.api.writes == [("POST", "/issues")]
    assert empty_forge.api.requests[0].token == WRITE_TOKEN
    assert list(empty_forge.refs()) == ["x"]


def test_a_pull_request_from_a_fork_has_no_secrets_and_writes_nothing(empty_forge: Forge) -> None:
    small(empty_forge, EVENT)
    number = empty_forge.pull_request("patch", fork=True)
    text = said(empty_forge, "pull_request", pull=number)
    assert f"{REPOSITORY} refs/pull/{number}/merge 1 ada\n" in text
    assert f"number={number} fork=true secret=0 variable= " in text
    assert "Resource not accessible by integration" in text
    assert "not pushed" in text
    assert empty_forge.refs() == {}
    assert empty_forge.api.requests[-1].token == READ_TOKEN
    assert list(empty_forge.refs("refs/heads")) == ["main"]


def test_a_rule_refuses_a_job_but_not_a_person(empty_forge: Forge) -> None:
    small(empty_forge, EVENT)
    empty_forge.reject("refs/tags/*", "Cannot create ref due to creations being restricted.")
    text = said(empty_forge, "push")
    assert "GH013: Repository rule violations found for refs/tags/x." in text
    assert empty_forge.refs() == {}
    empty_forge.git("tag", "mine")
    empty_forge.push("mine")
    assert list(empty_forge.refs()) == ["mine"]


# ---- what a runner has ----


def test_nothing_of_this_machine_reaches_a_step(empty_forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GITHUB_HEAD_REF",
        "AWS_PROFILE",
        "DVC_STUDIO_TOKEN",
        "MLOPS_X",
        "VIRTUAL_ENV",
        "PYTHONPATH",
    ):
        monkeypatch.setenv(name, "from-the-machine")
    small(
        empty_forge,
        f"- uses: {CHECKOUT}\n- run: env\n- run: ls -A ~ && cat tracked.ign\n- run: git commit --allow-empty -m x",
        {".gitignore": "*.ign\n"},
    )
    (empty_forge.work / "tracked.ign").write_text("tracked all the same\n")
    empty_forge.git("add", "--force", "tracked.ign")
    empty_forge.merge("Track it")
    run = empty_forge.run("small.yml", env={"AWS_REGION": "of-the-test"}).must({"a": "failure"})
    assert "from-the-machine" not in run.log
    assert "AWS_REGION=of-the-test\n" in run.log_of("a")
    assert "tracked all the same\n" in run.log_of("a")
    assert "Author identity unknown" in run.log
    assert ".gitconfig" not in run.log


def test_what_act_would_leave_out_silently_is_refused(two_jobs: Forge) -> None:
    with pytest.raises(AssertionError, match=r"train\.yml does not run on schedule"):
        two_jobs.run("train.yml", "schedule")
    with pytest.raises(AssertionError, match=r"train\.yml, job train: no runner 'windows-latest'"):
        two_jobs.run("train.yml", variables={"RUNS_ON": "windows-latest"})
    two_jobs.merge("Broken", {".github/workflows/train.yml": TRAIN.replace("needs: train", "needz: train")})
    with pytest.raises(AssertionError, match=r"(?s)act ran nothing.*Unknown Property needz"):
        two_jobs.run("train.yml")


def test_a_called_workflow_is_run_without_its_queue(two_jobs: Forge) -> None:
    called = TRAIN.replace("[push, pull_request]", "[push, workflow_call]")
    call = "name: schedule\non: workflow_dispatch\njobs:\n  cadence: {uses: ./.github/workflows/train.yml}\n"
    files = {".github/workflows/train.yml": called, ".github/workflows/schedule.yml": call}
    two_jobs.merge("Call it", files)
    run = two_jobs.run("schedule.yml", "workflow_dispatch").must({"cadence/train": "success"})
    assert run.outputs["cadence/train"]["fit"] == {"auc": "0.72"}


def test_a_matrix_has_a_job_for_each_value(empty_forge: Forge) -> None:
    job = "{strategy: {matrix: {python: ['3.11', '3.12']}}, runs-on: ubuntu-24.04, steps: [{run: 'true'}]}"
    empty_forge.merge("Matrix", {".github/workflows/m.yml": f"on: push\njobs:\n  test: {job}\n"})
    empty_forge.run("m.yml").must({"test (3.11)": "success", "test (3.12)": "success"})


def test_environments_that_are_ready_are_linked(forge: Forge, kit: Path) -> None:
    run = f"sh '{forge.export}/actions/mlops-kit' --version"
    look = 'readlink .venv "$RUNNER_TEMP/.venv-mlops-kit"'
    small(forge, f"- uses: {CHECKOUT}\n- run: |\n    uv sync --locked --quiet\n    {run}\n    {look}")
    said = forge.run("small.yml").must({"a": "success"}).log_of("a")
    assert f"{(forge.work / '.venv').resolve()}\n" in said
    assert f"{kit}/requirements.txt\n" in said
