"""The variables of a GitHub runner are read and spelled in one module."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import mlops_kit
import pytest
from mlops_kit.base import github_env

KIT = Path(mlops_kit.__file__).parent
OWNER = KIT / "base/github_env.py"
SPELLED = re.compile(r"\b(?:GITHUB|GH|RUNNER|ACTIONS)_[A-Z]*")


def documented(tree: ast.AST) -> set[int]:
    """The lines of docstrings: help texts may name a variable."""
    nodes = [one for one in ast.walk(tree) if isinstance(one, ast.Module | ast.ClassDef | ast.FunctionDef)]
    first = [one.body[0] for one in nodes if one.body and ast.get_docstring(one) is not None]
    return {line for one in first for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}


def spellings(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    ignored = documented(ast.parse(text))
    return [
        f"{path.relative_to(KIT).as_posix()}:{number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        if number not in ignored and SPELLED.search(line.replace("github_env.GH_TOKEN", ""))
    ]


def test_no_other_module_spells_a_variable_of_the_runner() -> None:
    assert spellings(OWNER), "the pattern finds nothing any more"
    assert not [line for path in KIT.rglob("*.py") if path != OWNER for line in spellings(path)]


@pytest.mark.parametrize(
    ("variable", "read"),
    [
        ("GITHUB_REPOSITORY", github_env.repository),
        ("GITHUB_RUN_ID", github_env.run_id),
        ("GITHUB_RUN_NUMBER", github_env.run_number),
        ("GITHUB_WORKFLOW", github_env.workflow),
        ("GITHUB_ACTOR", github_env.actor),
        ("GITHUB_REF", github_env.ref),
        ("GITHUB_BASE_REF", github_env.base_branch),
        ("GITHUB_EVENT_NAME", github_env.event_name),
        ("GITHUB_EVENT_PATH", github_env.event_file),
        ("GITHUB_OUTPUT", github_env.output_file),
        ("GITHUB_STEP_SUMMARY", github_env.summary_file),
    ],
)
def test_each_function_reads_its_variable(
    variable: str, read: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "a value")
    assert read() == "a value"
    monkeypatch.delenv(variable)
    assert read() == ""


def test_addresses_are_githubs_own_unless_a_server_names_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_API_URL")
    assert (github_env.server_url(), github_env.api_url()) == (github_env.GITHUB, github_env.API)
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://git.acme.example/")
    monkeypatch.setenv("GITHUB_API_URL", "https://git.acme.example/api/v3")
    assert github_env.server_url() == "https://git.acme.example"
    assert github_env.api_url() == "https://git.acme.example/api/v3"


def test_the_token_of_a_workflow_comes_before_that_of_the_gh_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert github_env.token() == ""
    monkeypatch.setenv("GH_TOKEN", "of gh")
    assert github_env.token() == "of gh"
    monkeypatch.setenv("GITHUB_TOKEN", "of the workflow")
    assert github_env.token() == "of the workflow"
