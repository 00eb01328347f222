"""`mlops-new` without a name, driven through a pseudo-terminal as a person would."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
import yaml

from tests.conftest import must, of_a_process
from tests.scaffold.create.tables import rows, written

DOWN, CLEAR, ENTER, TAB, CTRL_C = "\x1b[B", "\x15", "\r", "\t", "\x03"
MENU = ("make", "name", "data", "target", "time", "task", "slices", "sample", "remote", "train", "stop")
SECONDS = 25


class Terminal:
    """What a person sees and types."""

    def __init__(self, command: Path, folder: Path, *words: str, **more: str) -> None:
        environment = of_a_process(PROMPT_TOOLKIT_NO_CPR="1", TERM="xterm", **more)
        self.spawned = pexpect.spawn(
            str(command), list(words), cwd=str(folder), env=environment, encoding="utf-8", timeout=SECONDS,
            dimensions=(60, 200),
        )  # fmt: skip

    def see(self, text: str) -> None:
        """Wait for the text; a terminal may be told to move where a space would be."""
        between = r"(?:\s|\x1b\[[0-9;?]*[A-Za-z])+"
        self.spawned.expect(between.join(map(re.escape, text.split(" "))))

    def answer(self, question: str, *keys: str) -> None:
        """Wait for the question, then type."""
        self.see(question)
        time.sleep(0.2)  # what is typed before the prompt reads is lost
        for key in keys:
            self.spawned.send(key)

    def change(self, what: str, shown: tuple[str, ...] = MENU) -> None:
        self.answer("Change anything?", DOWN * shown.index(what), ENTER)

    def end(self) -> int:
        self.spawned.expect(pexpect.EOF)
        self.spawned.close()
        return int(self.spawned.exitstatus or 0)


@contextmanager
def terminal(command: Path, folder: Path, *words: str, **more: str) -> Iterator[Terminal]:
    one = Terminal(command, folder, *words, **more)
    try:
        yield one
    finally:
        one.spawned.close(force=True)


def test_wrong_answers_are_asked_again_until_a_repository_is_made(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/thesis.tex").touch()
    with terminal(mlops_new, tmp_path) as asked:
        asked.answer("Name (a path)", CLEAR, "Späte Flüge", ENTER)
        asked.answer("try spate-fluge", CLEAR, "taken", ENTER)
        asked.answer("thesis.tex", CLEAR, "late_flights", ENTER)
        asked.answer("Data file", "nowhere.csv", ENTER)
        asked.answer("nowhere.csv does not exist", CLEAR, ENTER)
        asked.see("the embedded flight data")
        starter = ("make", "name", "data", "remote", "train", "stop")
        asked.change("remote", starter)
        asked.answer("DVC remote: s3://", "ftp://somewhere", ENTER)
        asked.answer("no remote of the kind 'ftp'", CLEAR, "s3://bucket/late", ENTER)
        asked.see("s3://bucket/late")
        assert not (tmp_path / "late_flights").exists()
        asked.change("make", starter)
        asked.see("one commit")
        assert asked.end() == 0
    assert "url = s3://bucket/late" in (tmp_path / "late_flights/.dvc/config").read_text()
    assert must(["git", "status", "--porcelain"], tmp_path / "late_flights") == ""


@pytest.mark.environment
def test_columns_are_chosen_from_the_file_and_everything_can_be_changed(
    mlops_new: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "customers.csv").write_bytes(written([row | {"same": 1} for row in rows(600)]))
    (home / ".gitconfig").write_text("[user]\n\tname = Test\n\temail = test@example.com\n")
    with terminal(mlops_new, tmp_path, HOME=str(home)) as asked:
        asked.answer("Name (a path)", CLEAR, "churn", ENTER)
        asked.answer("Data file", "~/custo", TAB)
        asked.answer("customers.csv", ENTER)
        asked.answer("Column to predict", "same", ENTER)
        asked.see("colour")
        asked.answer("Time column", ENTER)
        asked.see("The target 'same' has the same value in every row")
        refused = MENU[1:]
        asked.change("target", refused)
        asked.answer("Column to predict", DOWN * 3, ENTER)  # x, colour, count, y
        asked.see("binary, predicts the probability of 'yes'")
        asked.see("synthetic: no row of your data gets into Git")
        asked.see("it has the same value in every row")
        asked.change("sample")
        asked.answer("What data/sample.csv has", DOWN * 2, ENTER)
        asked.see("none: no row of your data gets into Git, and there is no data/sample.csv")
        asked.change("slices")
        asked.answer("Columns whose values", DOWN, " ", ENTER)
        asked.see("colour")
        assert not (tmp_path / "churn").exists()
        asked.change("make")
        asked.see("one commit")
        assert asked.end() == 0
    schema = yaml.safe_load((tmp_path / "churn/data/schema.yaml").read_text())
    assert (schema["target"], schema["slices"], schema["task"]) == ("y", ["colour"], "binary")
    assert not (tmp_path / "churn/data/sample.csv").exists()


@pytest.mark.parametrize("how", ["stop", "ctrl-c"])
def test_stopping_writes_nothing(how: str, mlops_new: Path, tmp_path: Path) -> None:
    with terminal(mlops_new, tmp_path) as asked:
        asked.answer("Name (a path)", ENTER)
        if how == "ctrl-c":
            asked.answer("Data file", CTRL_C)
        else:
            asked.answer("Data file", ENTER)
            asked.change("stop", ("make", "name", "data", "remote", "train", "stop"))
        asked.see("nothing half-written is left")
        assert asked.end() == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.environment
def test_what_an_option_says_is_not_asked(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "churn.csv").write_bytes(written(rows()))
    words = ["--data", "churn.csv", "--target", "y", "--time", "x", "--dry-run"]
    with terminal(mlops_new, tmp_path, *words, UV_OFFLINE="1") as asked:
        asked.answer("Name (a path)", CLEAR, "churn", ENTER)
        asked.spawned.expect(re.compile("Data file|Column|Time column|Installing|environment that reads"))
        assert "environment that reads" in str(asked.spawned.after)
    assert [path.name for path in tmp_path.iterdir()] == ["churn.csv"]
