"""Completion in bash, zsh and fish, and colours on a terminal."""

import shutil
from pathlib import Path

import pexpect
import pytest
from click.testing import CliRunner
from mlops_new.cli import main, output
from mlops_new.cli.words import COMMANDS

from tests.conftest import must, of_a_process

BASH = {"_MLOPS_NEW_COMPLETE": "bash_complete"}


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(words: str, at: int | None = None) -> list[str]:
    """What bash gets for these words: of the last one, or of an empty one behind them."""
    split = words.split()
    variables = BASH | {"COMP_WORDS": words, "COMP_CWORD": str(len(split) - 1 if at is None else at)}
    done = CliRunner().invoke(main.command, prog_name="mlops-new", env=variables, standalone_mode=True)
    return done.output.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mlops-new upd", ["plain,update"]),
        ("mlops-new comp", ["plain,completion"]),
        ("mlops-new churn/mo", ["dir,churn/mo"]),
        ("mlops-new completion z", ["plain,zsh"]),
        ("mlops-new add serv", ["plain,serving=seldon"]),
        ("mlops-new add drift=w", ["plain,drift=whylogs"]),
        ("mlops-new add drift = w", ["plain,whylogs"]),  # as bash splits it
        ("mlops-new add drift =", ["plain,evidently", "plain,whylogs"]),
        ("mlops-new churn --with reg", ["plain,registry=mlflow", "plain,registry=wandb"]),
        ("mlops-new churn --with=reg", ["plain,registry=mlflow", "plain,registry=wandb"]),
        ("mlops-new churn --samp", ["plain,--sample"]),
        ("mlops-new churn --sample sy", ["plain,synthetic"]),
        ("mlops-new remove se", []),  # nothing is on outside of a project
    ],
)
def test_what_a_shell_is_offered(words: str, expected: list[str], empty: Path) -> None:
    assert completed(words) == expected


def test_every_command_is_offered(empty: Path) -> None:
    assert completed("mlops-new", at=1) == [f"plain,{name}" for name in COMMANDS]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(shell: str, empty: Path) -> None:
    done = CliRunner().invoke(main.command, ["completion", shell])
    assert done.exit_code == 0, done.output
    assert f"_MLOPS_NEW_COMPLETE={shell}_complete" in done.output
    if found := shutil.which(shell):
        (empty / "script").write_text(done.output)
        must([found, "-n", "script"], empty)


def test_bash_completes_with_it(mlops_new: Path, tmp_path: Path) -> None:
    environment = of_a_process(PATH=f"{mlops_new.parent}:/usr/bin:/bin", TERM="dumb", PS1="$ ")
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile"], cwd=str(tmp_path), env=environment, encoding="utf-8", timeout=60
    )
    try:
        shell.sendline('eval "$(mlops-new completion bash)"; echo re""ady')
        shell.expect("ready")
        shell.send("mlops-new add orchestration=pre\t")
        shell.expect("fect")
    finally:
        shell.close(force=True)


@pytest.mark.parametrize(
    ("terminal", "variables", "expected"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    terminal: bool, variables: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream:
        def isatty(self) -> bool:
            return terminal

    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert output.has_colour(Stream()) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize("no_colour", ["", "1"])
def test_an_error_is_red_on_a_terminal(no_colour: str, mlops_new: Path, tmp_path: Path) -> None:
    environment = of_a_process(TERM="xterm", NO_COLOR=no_colour)
    shown = pexpect.spawn(
        str(mlops_new), ["update"], cwd=str(tmp_path), env=environment, encoding="utf-8", timeout=60
    )
    shown.expect(pexpect.EOF)
    shown.close()
    assert shown.exitstatus == 1
    text = str(shown.before)
    assert ("\x1b[31m" in text) == (not no_colour)
    assert "this was not made by mlops-new" in text


def test_what_is_good_or_wrong_has_a_colour() -> None:
    for line, colour in (
        ("Warning: 40 test rows.", 33),
        ("on  drift=evidently  9", 32),
        ("Added serving=seldon:", 32),
        ("mlops.yaml, line 3: yours and the template's differ.", 31),
        ("mlops.yaml no longer parses: a tab", 31),
    ):
        assert output.coloured(line).startswith(f"\x1b[{colour}m"), line
        assert output.coloured(line).endswith("\x1b[0m") or line.startswith(("Warning", "on")), line
    for line in ("on  tier=tool  files", "  added    serving/seldon/README.md", "only one"):
        assert output.coloured(line) == line
