"""Where a report goes: two files, the summary of a run, one comment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mlops_kit.base.errors import KitError
from mlops_kit.cli.main import group
from mlops_kit.project.repository import Repository
from mlops_kit.reports import publish

from tests.act.api import READ_TOKEN, WRITE_TOKEN, Api
from tests.kit.builders import figure, metrics, write_metrics


def ran(repository: Repository, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.chdir(repository.root)
    return CliRunner().invoke(group, ["report", *words], catch_exceptions=True)


def test_both_files_are_at_the_root_wherever_the_command_is_typed(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = repository.root / "some/where"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    done = CliRunner().invoke(group, ["report", "--json"])
    assert json.loads(done.stdout)["page"] == "../../.mlops/report/report.html"
    assert (repository.root / ".mlops/report/report.html").is_file()
    assert not (below / ".mlops").exists()


def test_the_command_writes_both_files_and_the_summary(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n")
    done = ran(repository, monkeypatch)
    assert done.exit_code == 0, done.output
    text = (repository.root / ".mlops/report/report.md").read_text()
    assert done.stdout.endswith("Page: .mlops/report/report.html\n")
    assert (tmp_path / "summary.md").read_text() == f"before\n{text}\n"
    assert (repository.root / ".mlops/report/report.html").read_text().startswith("<!doctype html>")


def test_the_json_is_for_programs(with_version: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(ran(with_version, monkeypatch, "--json").stdout)
    assert found["open"] is None and found["compared_with"] == "v0.1.0"
    assert found["metrics"]["model.roc_auc"]["difference"] == pytest.approx(0.02)
    assert found["metrics"]["model.roc_auc"]["after"]["n"] == 500


def test_one_comment_whatever_the_number_of_runs(
    repository: Repository, on_github: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_github.open_pull("acme:x", "A change")
    monkeypatch.setenv("GITHUB_REF", "refs/pull/1/merge")
    for auc in (0.72, 0.73):
        write_metrics(repository.root, metrics(auc))
        assert ran(repository, monkeypatch, "--comment", "auto").exit_code == 0
    (comment,) = on_github.comments_of(1)
    assert comment["body"].startswith("<!-- mlops-kit:report:flights -->\n## ❔ flights")
    assert "0.7300" in comment["body"] and not on_github.unknown


def test_a_report_of_another_job_is_posted_as_it_is_and_a_forged_one_as_text(
    with_version: Repository, on_github: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_github.open_pull("acme:x", "A change")
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    write_metrics(with_version.root, metrics(0.73, DL=figure(0.6), AA=figure(0.5)))
    assert ran(with_version, monkeypatch).exit_code == 0
    folder = with_version.root / ".mlops/report"
    text = (folder / "report.md").read_text()
    assert "### Slices" in text and "actions/runs/7" in text and "```mermaid" in text
    publish.comment_from(folder, with_version, "flights", "1")
    (comment,) = on_github.comments_of(1)
    assert comment["body"].partition("\n")[2].strip() == text.strip()
    (folder / "report.md").write_text(
        text + "\n@octo [x](https://evil.example) ![](https://evil.example/i) Fixes #1\n"
    )
    publish.comment_from(folder, with_version, "flights", "1")
    (comment,) = on_github.comments_of(1)
    for acts in ("@octo", "](https://evil", "#1"):
        assert acts not in comment["body"]
    (folder / "report.md").write_bytes(b"x" * 9_000_000)
    with pytest.raises(KitError, match="has 9,000,000 bytes"):
        publish.comment_from(folder, with_version, "flights", "1")


def test_a_push_has_no_comment(
    repository: Repository, on_github: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    done = ran(repository, monkeypatch, "--comment", "auto")
    assert done.exit_code == 0 and "belongs to no pull request" in done.stderr
    assert not on_github.requests


def test_a_fork_is_green_and_says_so(
    repository: Repository, on_github: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on_github.open_pull("stranger:x", "A change")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 1, "head": {"repo": {"fork": True}}}}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_TOKEN", READ_TOKEN)
    done = ran(repository, monkeypatch, "--comment", "auto")
    assert done.exit_code == 0 and "the token of a pull request from a fork is read-only" in done.stderr
    event.write_text(json.dumps({"pull_request": {"number": 1, "head": {"repo": {"fork": False}}}}))
    refused = ran(repository, monkeypatch, "--comment", "auto")
    assert isinstance(refused.exception, KitError) and "403" in str(refused.exception)


def test_a_wrong_number_is_refused(repository: Repository) -> None:
    with pytest.raises(KitError, match="neither a number nor"):
        publish._number("first")


def test_the_token_is_in_nothing_that_is_written(
    repository: Repository, on_github: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_github.open_pull("acme:x", "A change")
    done = ran(repository, monkeypatch, "--comment", "1", "--json")
    written = "".join(
        path.read_text() for path in (repository.root / ".mlops").rglob("*.*") if path.is_file()
    )
    assert on_github.comments_of(1)
    assert WRITE_TOKEN not in done.output + written + json.dumps(on_github.comments)


def test_starting_the_kit_imports_no_heavy_library() -> None:
    heavy = "{'github', 'pyarrow', 'numpy', 'requests', 'markdown_it'}"
    rooms = {
        "reports": "report, report_markdown, report_html, plots, curves, publish",
        "registry": "card",
        "versions": "description",
        "doctor": "doctor",
        "forge": "github",
    }
    imports = "; ".join(f"from mlops_kit.{room} import {names}" for room, names in rooms.items())
    program = f"import sys; {imports}; print({heavy} & set(sys.modules) or '')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
