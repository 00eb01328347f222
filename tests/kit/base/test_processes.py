"""What the project's commands get of the kit's environment: no token, no secret and no file of the runner."""

import ast
import json
import re
import sys
from pathlib import Path

import mlops_kit
import pytest
from mlops_kit.base import processes

KIT = Path(mlops_kit.__file__).parent
PRIVATE = (
    *("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN", "MLOPS_WEBHOOK"),
    *("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"),
    *("ACTIONS_RUNTIME_TOKEN", "ACTIONS_RUNTIME_URL", "ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL"),
    *("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"),
)
NEEDED = (  # by DVC, to reach its remote, and by commands that ask where they run
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "AZURE_STORAGE_CONNECTION_STRING"),
    *("GITHUB_ACTIONS", "GITHUB_SHA", "RUNNER_TEMP", "MLFLOW_TRACKING_TOKEN"),
)
DUMP = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
# Starts the kit itself, whose environment is the person's.
OF_THE_KIT = {"monitoring/demo.py"}


@pytest.fixture(autouse=True)
def _on_a_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PRIVATE, *NEEDED):
        monkeypatch.setenv(name, f"of the runner: {name}")


def test_a_command_gets_no_secret_of_the_kit_and_what_a_cloud_needs(tmp_path: Path) -> None:
    got = json.loads(processes.run(DUMP, tmp_path, MLOPS_RUN="1"))
    assert [name for name in PRIVATE if name in got] == []
    assert [name for name in (*NEEDED, "MLOPS_RUN") if name not in got] == []
    assert "of the runner: GITHUB_TOKEN" not in json.dumps(got)


def test_a_command_that_is_followed_gets_none_either(tmp_path: Path) -> None:
    lines: list[str] = []
    processes.follow(DUMP, tmp_path, lines.append)
    (line,) = lines
    assert [name for name in PRIVATE if f'"{name}"' in line] == []
    assert '"AWS_SESSION_TOKEN"' in line


STARTS = re.compile(
    r"subprocess\.(run|Popen|call|check_\w+)|asyncio\.create_subprocess_\w+|os\.(system|popen|spawn\w+|exec\w+)"
)


def started(path: Path) -> list[ast.Call]:
    """The calls that start a process."""
    calls = [
        one for one in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(one, ast.Call)
    ]
    return [call for call in calls if STARTS.fullmatch(ast.unparse(call.func))]


def test_every_process_of_the_kit_is_given_an_environment() -> None:
    """One without `env` would inherit the token. What serving starts has its environment from `processes.environment()`."""
    allowed = (
        "environment()",
        "environment(**more)",
        "environment(**more or {})",
        "environment(**github_env.identity())",
        "dict(program.environment)",
    )
    found = {
        path.relative_to(KIT).as_posix(): calls for path in KIT.rglob("*.py") if (calls := started(path))
    }
    assert len(found) > 3, "the pattern finds nothing any more"
    wrong = [
        f"{name}:{call.lineno}"
        for name, calls in found.items()
        for call in calls
        if name not in OF_THE_KIT
        and next((ast.unparse(one.value) for one in call.keywords if one.arg == "env"), "") not in allowed
    ]
    assert wrong == []
