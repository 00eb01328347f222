"""Actions: ours from the working tree, the others as stubs that do what the real ones would."""

import pytest

from tests.act.actions import OURS, NoSuchAction
from tests.act.forge import Forge
from tests.act.small import CHECKOUT, DOWNLOAD, UPLOAD, small


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
        ("- uses: ./.github/mlops-kit/actions/none", "there is no such folder with an action.yml"),
        (f"- uses: {OURS}/actions/none@v1.0.0", "there is no actions/none/action.yml"),
    ],
)
def test_an_action_that_is_not_here_is_refused_at_once(steps: str, says: str, empty_forge: Forge) -> None:
    small(empty_forge, steps)
    with pytest.raises(NoSuchAction, match=says):
        empty_forge.run("small.yml")


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
    - uses: astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1
    - shell: bash
      run: echo last >> "$GITHUB_STEP_SUMMARY"; echo undeclared=x >> "$GITHUB_OUTPUT"
"""
    )
    empty_forge.export = tree
    small(empty_forge, f"- id: gate\n  name: Gate\n  uses: {OURS}/actions/gate@v9.9.9")
    run = empty_forge.run("small.yml").must({"a": "success"})
    assert run.outputs["a"]["gate"] == {"open": "yes"}
    assert run.summaries["a"] == {"Gate": "first\nlast\n"}
    assert "[project]\n" in run.log
    assert sorted(path.name for path in (tree / "actions/gate").iterdir()) == ["action.yml"]


def test_an_action_in_the_repository_is_its_own(empty_forge: Forge) -> None:
    action = "name: x\ndescription: x\ninputs: {who: {description: x}}\nruns: {using: composite, steps: [{shell: bash, run: pwd}]}\n"
    uses = f"- uses: {CHECKOUT}\n- uses: ./.github/mlops-kit/actions/x\n  with: {{who: me}}"
    small(empty_forge, uses, {".github/mlops-kit/actions/x/action.yml": action})
    assert (
        empty_forge.run("small.yml").must({"a": "success"}).steps["a"]["./.github/mlops-kit/actions/x"]
        == "success"
    )
    small(empty_forge, uses.replace("who", "whom"))
    with pytest.raises(NoSuchAction, match=r"does not know \['whom'\]"):
        empty_forge.run("small.yml")


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
