"""What a terminal shows: tables and colours."""

import sys

import pytest
from mlops_kit.base.text_table import text_table
from mlops_kit.cli import browser, output
from mlops_kit.cli.commands.upkeep import runs
from mlops_kit.doctor import doctor
from mlops_kit.doctor.diagnosis import Diagnosis
from mlops_kit.project.repository import Repository
from mlops_kit.runs import log
from mlops_kit.versions import lineage, version_list

GREEN, RED, YELLOW, END = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"


def test_a_table_has_a_header_and_one_line_for_each_row() -> None:
    rows = [("a", "pass", "of\ntwo lines"), ("longer", "FAIL", "")]
    assert text_table(("gate", "status", "why"), rows) == [
        "gate    status  why",
        "a       pass    of two lines",
        "longer  FAIL",
    ]
    assert text_table(("one", "two"), []) == ["one  two"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a  pass  0.7", f"a  {GREEN}pass{END}  0.7"),
        ("a  FAIL", f"a  {RED}FAIL{END}"),
        ("x\n  alarm: much", f"x\n  {RED}alarm{END}: much"),
        ("a  can't tell  2", f"a  {YELLOW}can't tell{END}  2"),
        ("a pass that is a word", "a pass that is a word"),
        ("passes: 3", "passes: 3"),
        ("okay", "okay"),
    ],
)
def test_only_a_status_is_coloured(text: str, shown: str) -> None:
    assert output.coloured(text) == shown


@pytest.mark.parametrize(
    ("terminal", "set_to", "coloured"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False)],
)
def test_colours_are_for_a_terminal_and_no_color_turns_them_off(
    terminal: bool, set_to: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert output.has_colours() is coloured


def test_escape_sequences_of_others_are_removed_before_ours_are_added(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "has_colours", lambda: True)
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)
    output.show("\x1b[31mx\x1b[0m  pass")
    assert capsys.readouterr().out == f"x  {GREEN}pass{END}\n"


def test_lists_have_headers(with_version: Repository) -> None:
    listed = version_list.text(version_list.rows(lineage.book(with_version, "flights"), 20)).splitlines()
    assert listed[0].split() == ["version", "created", "(UTC)", "event", "by", "code", "stages", "data"]
    assert listed[1].startswith("v0.1.0 ")
    run = log.Run(
        "r-1",
        "failed",
        "2026-11-24T08:00:00Z",
        1.25,
        "push",
        "c" * 40,
        "",
        {"train": "failed"},
        published=True,
    )
    head, line = runs.table([run]).splitlines()
    assert head.split()[:3] == ["start", "(UTC)", "status"]
    assert line.split() == [
        "2026-11-24",
        "08:00:00",
        "failed",
        "1.2",
        "r-1",
        "push",
        "ccccccc",
        "train",
        "failed",
    ]
    assert line.index("failed") == head.index("status")


def test_the_fix_of_a_problem_is_below_its_finding() -> None:
    found = [
        Diagnosis("tags", "ok", "Fine.", "unused"),
        Diagnosis("dvc remote", "fail", "None.", "`dvc remote add`"),
    ]
    assert doctor.in_words(found).splitlines() == [
        "status  check       finding",
        "ok      tags        Fine.",
        "FAIL    dvc remote  None.",
        "                    Fix: `dvc remote add`",
        "1 ok, 1 fail",
    ]


def test_a_page_is_opened_in_the_browser_or_its_path_is_said(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page, opened = tmp_path_factory.mktemp("a b") / "report.html", list[str]()

    def first_alone(url: str) -> bool:
        opened.append(url)
        return len(opened) == 1

    monkeypatch.setattr("webbrowser.open", first_alone)
    browser.show(page)
    assert opened == [page.as_uri()] and capsys.readouterr().err == ""
    browser.show(page)
    assert f"Open {page} yourself." in capsys.readouterr().err
