"""The harness itself, on a repository of two jobs; then the generated repository's workflows."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.act.actions import NoSuchAction
from tests.act.api import READ_TOKEN, WRITE_TOKEN
from tests.act.forge import Forge
from tests.act.payloads import REPOSITORY
from tests.act.remotes import S3, Folder

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
DOWNLOAD = "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131"
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


def small(forge: Forge, steps: str, more: Mapping[str, str] | None = None) -> None:
    """One job `a` with these steps, in small.yml."""
    job = "jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
    indented = "".join(f"      {line}\n" for line in steps.strip().splitlines())
    text = f"name: small\non: {{push: , pull_request: , repository_dispatch: , workflow_dispatch: {{inputs: {{reason: {{default: none}}}}}}}}\n{job}{indented}"
    forge.merge("Small", {".github/workflows/small.yml": text, **(more or {})})


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


def said(forge: Forge, event: str, **more: object) -> str:
    given = {"variables": {"AWS_ROLE": "role-of-acme"}, "secrets": {"DVC_PASSWORD": "not-a-real-one"}}
    run = forge.run("small.yml", event, **given, **more)  # type: ignore[arg-type]
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


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ("- uses: acme/other@0123456789", "small.yml uses acme/other: it has no stub"),
        (f"- uses: {CHECKOUT}\n  with: {{ref: main}}", r"does not know \['ref'\]"),
        (f"- uses: {UPLOAD}\n  with: {{nmae: x}}", r"does not know \['nmae'\]"),
        (
            f"- id: up\n  uses: {UPLOAD}\n- run: echo ${{{{ steps.up.outputs.id }}}}",
            "step up has no output 'id'",
        ),
        ("- uses: mlops-new/mlops-new/actions/none@v1.0.0", "there is no actions/none/action.yml"),
    ],
)
def test_an_action_that_is_not_here_is_refused_at_once(steps: str, says: str, empty_forge: Forge) -> None:
    small(empty_forge, steps)
    with pytest.raises(NoSuchAction, match=says):
        empty_forge.run("small.yml")


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


# ---- actions ----


def test_our_actions_come_from_the_working_tree(empty_forge: Forge) -> None:
    tree = empty_forge.work.parent / "export"
    (tree / "actions/gate").mkdir(parents=True)
    (tree / "pyproject.toml").write_text("[project]\n")
    (tree / "actions/gate/action.yml").write_text(
        """
name: gate
description: says where it is
outputs: {open: {description: "", value: "${{ steps.ask.outputs.open }}"}}
runs:
  using: composite
  steps:
    - id: ask
      shell: bash
      run: |
        cat "$GITHUB_ACTION_PATH/../../pyproject.toml"; touch "$GITHUB_ACTION_PATH/left"
        echo open=yes >> "$GITHUB_OUTPUT"; echo first >> "$GITHUB_STEP_SUMMARY"
    - shell: bash
      run: echo last >> "$GITHUB_STEP_SUMMARY"
    - uses: astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1
"""
    )
    empty_forge.export = tree
    small(empty_forge, "- id: gate\n  name: Gate\n  uses: mlops-new/mlops-new/actions/gate@v9.9.9")
    run = empty_forge.run("small.yml").must({"a": "success"})
    assert run.outputs["a"]["gate"] == {"open": "yes"}
    assert run.summaries["a"] == {"Gate": "first\nlast\n"}
    assert "[project]\n" in run.log
    assert sorted(path.name for path in (tree / "actions/gate").iterdir()) == ["action.yml"]


def upload(path: str, more: str = "") -> str:
    make = "- run: mkdir -p out/in .kit && touch out/a.json out/in/b.json out/in/c.txt out/.d .kit/e.json"
    return f"{make}\n- uses: {UPLOAD}\n  with:\n    name: x\n    path: |\n      {path}\n    {more}"


@pytest.mark.parametrize(
    ("path", "more", "kept"),
    [
        ("out", "", ["a.json", "in/b.json", "in/c.txt"]),
        ("out/**/*.json", "", ["a.json", "in/b.json"]),
        ("out/a.json", "", ["a.json"]),
        ("out/a.json\n      out/in/b.json", "", ["a.json", "in/b.json"]),
        ("out\n      !out/in/**", "", ["a.json"]),
        ("out", "include-hidden-files: true", [".d", "a.json", "in/b.json", "in/c.txt"]),
        (".kit/e.json", "", ["e.json"]),
    ],
)
def test_an_upload_keeps_what_the_real_one_would(
    path: str, more: str, kept: list[str], empty_forge: Forge
) -> None:
    small(empty_forge, upload(path, more))
    artifact = empty_forge.run("small.yml").must({"a": "success"}).artifact("x")
    files = (file for file in artifact.rglob("*") if file.is_file())
    assert sorted(file.relative_to(artifact).as_posix() for file in files) == kept


@pytest.mark.parametrize(
    ("more", "result", "kind"),
    [
        ("", "success", "warning"),
        ("if-no-files-found: error", "failure", "error"),
        ("if-no-files-found: ignore", "success", ""),
    ],
)
def test_an_upload_of_nothing(more: str, result: str, kind: str, empty_forge: Forge) -> None:
    small(empty_forge, upload(".kit", more))
    run = empty_forge.run("small.yml").must({"a": result})
    assert run.artifact_names() == []
    assert [message.kind for message in run.messages if "No files were found" in message.text] == (
        [kind] if kind else []
    )


def test_a_download_of_what_is_not_there_fails(empty_forge: Forge) -> None:
    small(empty_forge, f"- uses: {DOWNLOAD}\n  with: {{name: handover}}")
    assert empty_forge.run("small.yml").must({"a": "failure"}).errors == [
        "Unable to download artifact(s): Artifact not found for name: handover"
    ]


def test_logins_leave_credentials_that_nobody_accepts(empty_forge: Forge) -> None:
    small(
        empty_forge,
        """
- uses: aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c
  with: {role-to-assume: "${{ vars.AWS_ROLE }}", aws-region: eu-west-1}
- uses: google-github-actions/auth@7c6bc770dae815cd3e89ee6cdf493a5fab2cc093
  with: {workload_identity_provider: acme-pool, service_account: dvc@example.com}
- run: echo "$AWS_ACCESS_KEY_ID in $AWS_REGION" && cat "$GOOGLE_APPLICATION_CREDENTIALS"
""",
    )
    run = empty_forge.run("small.yml", variables={"AWS_ROLE": "reader"}).must({"a": "success"})
    assert "stub-of-reader in eu-west-1\n" in run.log
    assert '"audience": "acme-pool"' in run.log
    run = empty_forge.run("small.yml").must({"a": "failure"})
    assert run.errors == ["Could not load credentials from any providers"]


# ---- the generated repository's workflows ----


def test_a_pull_request_to_the_generated_repository_is_checked(forge: Forge) -> None:
    number = forge.pull_request("try")
    run = forge.run("ci.yml", "pull_request", pull=number)
    run.must({"lint": "success", "test": "success", "data": "success"})
    assert "Data not checked: no DVC remote." in run.summary


def test_a_merge_trains_on_the_sample_where_there_is_no_remote(forge: Forge) -> None:
    run = forge.run("train.yml").must({"train": "success"})
    assert "## no remote: trained on the committed sample" in run.summary


def test_a_merge_trains_on_the_data_in_a_folder(forge_with_folder: Forge, folder: Folder) -> None:
    run = forge_with_folder.run("train.yml").must({"train": "success"})
    assert "## trained on the data in the DVC remote" in run.summary
    with folder.unreachable():
        forge_with_folder.run("train.yml").must({"train": "failure"})


def test_a_merge_trains_on_the_data_in_an_s3(forge_with_s3: Forge, s3: S3) -> None:
    assert len(s3.keys()) > 5
    run = forge_with_s3.run("train.yml").must({"train": "success"})
    assert "## trained on the data in the DVC remote" in run.summary
    with s3.refusing("GET"):
        forge_with_s3.run("train.yml").must({"train": "failure"})
