"""What others wrote reaches a terminal or a runner's log as text."""

import json

import pytest
from mlops_kit.base import terminal
from mlops_kit.cli import output

HOSTILE = [
    "x\x1b[2J\x1b[1;1Hy",
    "x\x1b]0;owned\x07y",
    "x\x1b]8;;https://evil.example\x1b\\y",
    "x\x9b31my",
    "x\x9d0;owned\x9cy",
    "x\x1b(0y",
    "x\u202ey",
    "x\u2066y",
    "x\ry",
    "x\by",
    "x\x1b]0;it never endsy",
    "x\ud800y",
    "x\x1b",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_controls_a_terminal(text: str) -> None:
    clean = terminal.plain(text)
    assert clean.startswith("x") and clean.isprintable()
    assert "owned" not in clean and "evil" not in clean
    clean.encode()


def test_lines_tabs_and_letters_stay() -> None:
    text = "é 日本 👩\u200d🔬\n\tnext line: 50 % [y/n] <b>\n"
    assert terminal.plain(text) == text


@pytest.mark.parametrize("text", [*HOSTILE, "x ##[add-mask]y", "x\n::set-output name=a::b"])
def test_json_keeps_its_value(text: str) -> None:
    printed = terminal.plain_json(json.dumps({"a": text}, indent=2, ensure_ascii=False))
    assert json.loads(printed) == {"a": text}
    assert terminal.plain(printed) == printed and "##[" not in printed
    assert not any(line.lstrip().startswith("::") for line in printed.split("\n"))


@pytest.mark.parametrize(
    "text",
    [
        "a\n::set-output name=untold::true",
        "::add-mask::e",
        "a\n  \t::stop-commands::x",
        "a\r::save-state name=x::y",
        "a\r\n::error::x",
        "\x1b[0m::warning::x",
        "a ##[set-env name=PATH]/evil",
        "\u2028::debug::x",
    ],
)
def test_no_line_of_a_log_is_a_command(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    output.tell(text)
    output.finish({}, text, as_json=False)
    out, err = capsys.readouterr()
    for line in (out + err).splitlines():
        assert not line.lstrip().startswith("::") and "##[" not in line
    monkeypatch.delenv("GITHUB_ACTIONS")
    output.tell("::")
    assert capsys.readouterr().err == "::\n"
