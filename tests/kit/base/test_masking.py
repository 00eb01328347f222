"""What is secret in the environment is in nothing that the kit passes on."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest
from mlops_kit.base.masking import masked
from mlops_kit.base.processes import ProcessError, follow, run
from mlops_kit.cli import output
from mlops_kit.project.repository import Repository

from tests.kit.tips import change, kit

PRINTS = "import os, sys; print('the key is', os.environ['MY_API_KEY']); sys.exit({})"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "hunter2hunter2")


def test_what_a_process_says_is_handed_on_without_them(tmp_path: Path) -> None:
    heard: list[str] = []
    follow([sys.executable, "-c", PRINTS.format(0)], tmp_path, heard.append)
    assert heard == ["the key is ***"]


def test_a_process_that_failed_is_told_of_without_them(tmp_path: Path) -> None:
    failing = [sys.executable, "-c", PRINTS.format(1), "hunter2hunter2"]
    for ask in (run, partial(follow, heard=lambda _: None)):
        with pytest.raises(ProcessError, match=r"the key is \*\*\*") as failed:
            ask(failing, tmp_path)
        assert "hunter2" not in str(failed.value)


def test_a_check_that_accepts_the_data_prints_none(tips: Repository) -> None:
    change(tips, "mlops.yaml", "validate: sh check.sh", "validate: sh -c 'echo $MY_API_KEY'")
    done = kit(tips, "validate")
    assert (done.code, done.stdout) == (0, "***\n")


def test_an_error_of_the_kit_itself_names_none(tips: Repository) -> None:
    done = kit(tips, "verify", "hunter2hunter2")
    assert done.code == 1, done.said
    assert "***" in done.stderr
    assert "hunter2" not in done.said


@pytest.mark.parametrize("as_json", [False, True])
def test_a_result_holds_none(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    address = "https://bob:hunter2@localhost/x?sig=hunter2"
    output.finish({"from": address, "key": "hunter2hunter2"}, f"{address}, hunter2hunter2", as_json)
    said = capsys.readouterr().out
    assert "https://***@localhost/x?sig=***" in said
    assert "hunter2" not in said
    assert not as_json or json.loads(said)["key"] == "***"


@pytest.mark.parametrize(
    ("value", "said", "told"),
    [
        ("first line\nsecond line", "it has the second line in it", "it has the *** in it"),
        ('a "quoted" one', r'{"error": "a \"quoted\" one"}', '{"error": "***"}'),
        ("short", "short of memory", "short of memory"),
        ("", "no answer of http://bob:hun@ter2@host:80/x@y", "no answer of http://***@host:80/x@y"),
        (
            "",
            "https://b.s3/k?X-Amz-Date=2026&X-Amz-Signature=0a1b&v=2, a?sig=x%3D'",
            "https://b.s3/k?X-Amz-Date=2026&X-Amz-Signature=***&v=2, a?sig=***'",
        ),
        ("", "design=1&signature, max_token=3 and ?token", "design=1&signature, max_token=3 and ?token"),
        ("", "'https://ghp_0a1b@github.com/o/r'", "'https://***@github.com/o/r'"),
        ("", "see https://a.example/x@v1 or bob@host", "see https://a.example/x@v1 or bob@host"),
        ("", "ssh://git@host:22/x and C://a:b/c@d", "ssh://git@host:22/x and C://a:b/c@d"),
    ],
)
def test_spellings(value: str, said: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", value)
    assert masked(said) == told
