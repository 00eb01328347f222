"""The report: verdict first, of bounded size, and harmless whatever the repository says."""

import json
import re
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from mlops_kit import axes, contract, curves, gates, page, plots, publishing, report, summary, training
from mlops_kit.card import ON_NO_BRANCH, card
from mlops_kit.cli import group
from mlops_kit.errors import KitError
from mlops_kit.gates import GateResult, Verdict
from mlops_kit.metrics import Figure
from mlops_kit.report import Report
from mlops_kit.repository import Repository
from mlops_kit.training import Training

from tests.act.api import READ_TOKEN, WRITE_TOKEN, Api
from tests.kit.made import a_record, commit, figure, metrics, tag, write_metrics


def built(repository: Repository) -> Report:
    return report.build(repository, contract.load(repository.root))


def judged(repository: Repository, *statuses: str, better: str = "", against: str = "", **more: str) -> None:
    """The gates answered so."""
    results = []
    for at, status in enumerate(statuses):
        said: dict[str, Any] = {"name": f"g{at}", "kind": "threshold", "status": status, "says": f"why {at}"}
        results.append(GateResult(**said | more))
    gates.save(repository, Verdict(results, {}, better, against), "r")


@pytest.fixture
def with_version(repository: Repository) -> Repository:
    tag(repository, a_record(repository.commit(), "v0.1.0", metrics=metrics(0.7)))
    return repository


def test_right_after_a_first_training(repository: Repository) -> None:
    text = summary.markdown(built(repository))
    assert text.startswith("## ❔ flights: can't tell, no gate was asked; first version\n")
    assert "The gates have not been asked: `mlops-kit gate`." in text
    assert "| `model.roc_auc` | 0.7200 | 0.7000 to 0.7400 | 500 |" in text


@pytest.mark.parametrize(
    ("statuses", "better", "heading"),
    [
        (["pass"], "better", "✅ flights: gates open; better than v0.1.0"),
        (["pass", "fail"], "worse", "❌ flights: gates closed; worse than v0.1.0"),
        (
            ["pass", "unknown"],
            "can't tell",
            "❌ flights: gates closed; can't tell whether better than v0.1.0",
        ),
        ([], "", "❔ flights: can't tell, no gate was asked; can't tell whether better than v0.1.0"),
    ],
)
def test_the_verdict_comes_first(
    with_version: Repository, statuses: list[str], better: str, heading: str
) -> None:
    judged(with_version, *statuses, better=better, against="v0.1.0")
    found = built(with_version)
    assert summary.markdown(found).splitlines()[0] == f"## {heading}"
    assert f"<title>{escape(heading[2:])}</title>" in page.html(found)


def test_differences_and_noise_stand_in_the_table(with_version: Repository) -> None:
    assert (
        "| `model.roc_auc` | 0.7000 | 0.7200 | +0.02 | inside the noise band of ±0.028 |"
        in summary.markdown(built(with_version))
    )


def test_the_sample_is_said(repository: Repository) -> None:
    training.save(repository, Training("r", repository.commit(), "sample", "fork", {"train": "ran"}, 3.0))
    (repository.root / training.SAMPLE_LOCK).write_text((repository.root / "dvc.lock").read_text())
    text = summary.markdown(built(repository))
    assert text.splitlines()[2] == "**fork: trained on the committed sample, nothing registered**"
    assert "Training took 3.0 s: `train` ran." in text


def test_the_worst_slices_come_first_and_few_rows_are_no_figure(repository: Repository) -> None:
    slices = {f"S{at}": {"n": 100, "roc_auc": figure(0.6 + at / 100)} for at in range(9)}
    write_metrics(repository.root, metrics(0.7, **slices, few={"n": 3}))
    text = summary.markdown(built(repository))
    assert re.findall(r"\| `(S\d)` \|", text) == ["S0", "S1", "S2", "S3", "S4", "S5"]
    assert "Worst of 9 by `roc_auc`; 1 more have too few rows to judge." in text
    assert built(repository).slices[-1].figure is None


def test_a_slice_below_the_gates_rows_is_not_judged(repository: Repository) -> None:
    settings = (repository.root / "mlops.yaml").read_text()
    gate = (
        "gates: {fair: {kind: slices, of: slices.carrier, metric: roc_auc, gap_at_most: 0.1, min_rows: 50}}\n"
    )
    (repository.root / "mlops.yaml").write_text(settings + gate)
    some = {"A": {"n": 49, "roc_auc": figure(0.1)}, "B": {"n": 50, "roc_auc": figure(0.6)}}
    write_metrics(repository.root, metrics(0.7, **some))
    assert [one.value for one in built(repository).slices if one.figure] == ["B"]


def test_the_bar_shows_value_and_interval() -> None:
    bar = summary.bar(Figure(0.5, 0.25, 0.75), 0.0, 1.0)
    assert bar == "······──────●──────······"


def test_a_huge_report_stays_under_githubs_limit(with_version: Repository) -> None:
    many = {f"metric_{at}_" + "x" * 100: figure(0.5) for at in range(2000)}
    slices = {
        "slices": {f"c{at}" + "y" * 150: {f"v{i}" * 30: figure(0.5) for i in range(9)} for at in range(300)}
    }
    write_metrics(with_version.root, many | slices)
    judged(with_version, *["fail"] * 500)
    text = summary.markdown(built(with_version))
    assert 2000 < len(text) < 60_500 and "only in report.html" in text


def test_nothing_of_the_repository_becomes_markup(with_version: Repository) -> None:
    bad = "<script>alert(1)</script>@acme ```\n</details> | ![](http://e.example/a)"
    commit(with_version, bad)
    write_metrics(with_version.root, metrics(0.7, **{bad: {"n": 100, "roc_auc": figure(0.6)}}) | {bad: 0.5})
    judged(with_version, "fail", name=bad, kind=bad, says=bad, loosened=bad, because=bad)
    (with_version.root / "dvc.yaml").write_text(
        json.dumps({"plots": [{"p.csv": {"x": "x", "y": "y", "template": "bar_horizontal", "title": bad}}]})
    )
    (with_version.root / "p.csv").write_text('x,y\n1,"</svg><script>$x^{2$"\n2,"""] evil"\n')
    found = built(with_version)
    assert found.curves
    text, html = summary.markdown(found), page.html(found)
    for line in text.splitlines():
        outside = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", line)
        assert "<script" not in outside and "@acme" not in outside and "://" not in outside
    assert len(re.findall("^```", text, re.MULTILINE)) == 2 and text.count("\n</details>") == 1
    assert "<script" not in html and "onerror=" not in html and html.count("</svg>") == 3


def test_the_page_asks_for_nothing_else(with_version: Repository) -> None:
    html = page.html(built(with_version))
    assert "default-src 'none'" in html and "<script" not in html
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|@import|url\(\s*["']?(?!#)""", html)
    assert "currentColor" in html and "var(--accent)" in html
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_the_page_is_the_same_again(with_version: Repository) -> None:
    one, two = (
        re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "", page.html(built(with_version))) for _ in range(2)
    )
    assert one == two


def test_the_history_is_of_versions_and_now(with_version: Repository) -> None:
    tag(with_version, a_record(with_version.commit(), "v0.2.0", metrics=metrics(0.71)))
    found = built(with_version)
    values = [(name, figures["model.roc_auc"].value) for name, figures in found.history]
    assert values == [("v0.1.0", 0.7), ("v0.2.0", 0.71), ("now", 0.72)]
    assert found.before and found.before.version == "v0.2.0"


def test_nothing_trained_says_so(repository: Repository) -> None:
    (repository.root / "dvc.lock").unlink()
    with pytest.raises(KitError, match="nothing was trained yet"):
        built(repository)


# ---- plots ----


def drawn(repository: Repository, **plots: Any) -> list[curves.Curve]:
    (repository.root / "dvc.yaml").write_text(json.dumps(plots))
    return curves.curves(repository, contract.load(repository.root).predictions)


@pytest.mark.parametrize(
    "plots",
    [
        ["p.csv"],
        [{"p.csv": {"x": "x", "y": "y"}}],
        {"p.csv": {"x": "x", "y": "y"}},
        [{"name": {"x": "x", "y": {"p.csv": "y"}}}],
        [{"name": {"x": {"p.csv": "x"}, "y": {"p.csv": ["y"]}}}],
        [{"p.json": {"x": "x", "y": "y"}}],
        [{"p.csv": None}],
    ],
)
def test_each_form_of_dvcs_plots_is_read(repository: Repository, plots: Any) -> None:
    (repository.root / "p.csv").write_text("x,y\n1,2\n3,4\nnan,\n")
    (repository.root / "p.json").write_text('{"any": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}')
    found = drawn(repository, plots=plots)
    assert [one.y for one in found] == [[2.0, 4.0]]


def test_a_plot_outside_the_repository_is_not_read(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("x,y\n1,2\n")
    (repository.root / "link.csv").symlink_to(tmp_path / "secret.csv")
    assert {one.title for one in drawn(repository, plots=["../secret.csv", "link.csv"])} <= {
        "ROC",
        "Precision and recall",
        "Calibration",
    }


def test_without_declared_plots_the_predictions_are_drawn(repository: Repository) -> None:
    roc, precision, calibration = drawn(repository)
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    assert roc.x == sorted(roc.x) and roc.y == sorted(roc.y)
    assert precision.x[-1] == 1 and precision.y[-1] == pytest.approx(40 / 60)
    assert len(calibration.x) == 10 and calibration.x == sorted(calibration.x)


def test_the_roc_is_the_one_that_scores_determine() -> None:
    roc = curves._binary([True, False, True, False], [0.9, 0.8, 0.8, 0.1])[0]
    assert list(zip(roc.x, roc.y, strict=True)) == [(0, 0), (0, 0.5), (0.5, 1), (1, 1)]


@pytest.mark.parametrize(("task", "title"), [("regression", "Residuals"), ("multiclass", "Confusion")])
def test_other_tasks_have_their_plot(repository: Repository, task: str, title: str) -> None:
    settings = (repository.root / "mlops.yaml").read_text().replace("binary", task)
    (repository.root / "mlops.yaml").write_text(settings)
    (repository.root / "predictions.csv").write_text("key,actual,prediction\n1,2,2\n2,3,2\n")
    assert [one.title for one in drawn(repository)] == [title]
    assert page.html(built(repository)).count("<svg") >= 1


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"),
        (0.683, 0.737, "0.69 0.70 0.71 0.72 0.73"),
        (-41_000, 47_000, "-40,000 -20,000 0 20,000 40,000"),
        (4e-7, 2.1e-6, "5e-07 1e-06 1.5e-06 2e-06"),
        (3, 3, "2.85 2.90 2.95 3.00 3.05 3.10 3.15"),
    ],
)
def test_ticks_are_round_and_told_apart(low: float, high: float, ticks: str) -> None:
    within = None if low == high else (low, high)
    assert list(axes.numbers([low, high], within=within).ticks.values()) == ticks.split()


@pytest.mark.parametrize("kind", ["line", "scatter", "bars"])
@pytest.mark.parametrize("values", [[0.0], [1.0, 1.0], [-1e-9, 1e12], [float(n) for n in range(2000)]])
def test_every_number_becomes_a_drawing_that_is_xml(kind: str, values: list[float]) -> None:
    names = [f"<{value}> & 'more'" for value in values] if kind == "bars" else values
    svg = plots.curve(curves.Curve("t", kind, "a < b", "c & d", values, names, diagonal=True))
    ElementTree.fromstring(svg)
    assert not re.search(r"nan|inf", svg) and "var(--accent)" in svg


def test_an_interval_without_an_end_is_drawn_as_its_figure() -> None:
    named = [("a", Figure(0.5, float("nan"), float("inf"))), ("b", Figure(0.7, 0.6, 0.8))]
    for svg in (plots.intervals(named, "m"), plots.history(named, "m")):
        assert not re.search(r"nan|inf", svg)


def test_mermaid_has_numbers_that_it_reads(repository: Repository) -> None:
    for one in [*drawn(repository), curves.Curve("B", "bars", "x", "y", [1e-7, 0.5, -2e-9], ["a", "b", "c"])]:
        text = summary.mermaid(one)
        assert text.splitlines()[1].startswith("xychart-beta") and "plotColorPalette" in text
        assert not re.search(r"\de[-+]?\d|nan|inf", text)


# ---- where it goes ----


def ran(repository: Repository, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.chdir(repository.root)
    return CliRunner().invoke(group, ["report", *words], catch_exceptions=True)


def test_the_command_writes_both_files_and_the_summary(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n")
    done = ran(repository, monkeypatch)
    assert done.exit_code == 0, done.output
    text = (repository.root / ".mlops/report/report.md").read_text()
    assert text in done.stdout and (tmp_path / "summary.md").read_text() == f"before\n{text}\n"
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


def test_a_push_has_no_comment(
    repository: Repository, on_github: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    done = ran(repository, monkeypatch, "--comment", "auto")
    assert done.exit_code == 0 and "of no pull request" in done.stderr
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
    assert done.exit_code == 0 and "fork has a token that may only read" in done.stderr
    event.write_text(json.dumps({"pull_request": {"number": 1, "head": {"repo": {"fork": False}}}}))
    refused = ran(repository, monkeypatch, "--comment", "auto")
    assert isinstance(refused.exception, KitError) and "403" in str(refused.exception)


def test_a_wrong_number_is_refused(repository: Repository) -> None:
    with pytest.raises(KitError, match="neither a number nor"):
        publishing._number("first")


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
    heavy = "{'github', 'pyarrow', 'numpy', 'requests'}"
    names = "report, summary, page, plots, curves, publishing, card, description, doctor, github"
    program = f"import sys; from mlops_kit import {names}; print({heavy} & set(sys.modules) or '')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# ---- the card ----


def test_the_card_says_what_the_record_says(repository: Repository) -> None:
    slices = {"AA": {"n": 100, "roc_auc": figure(0.6)}, "ZZ": {"n": 2}}
    one = a_record(
        repository.commit(),
        "v0.1.0",
        metrics=metrics(0.7, **slices),
        gates=[{"name": "auc", "status": "pass", "says": "0.7 is at least 0.6"}],
        description="First version.",
    )
    text = card(one, "Will it be late?")
    for part in (
        "# flights v0.1.0",
        "Will it be late?",
        f"| `data.csv` | 1,000 | 24.0 kB | `{'a' * 32}` |",
        "| `model.roc_auc` | 0.7000 | 0.6800 to 0.7200 | 500 |",
        "| `AA` | 100 | 0.6000 (0.5800 to 0.6200) |",
        "| `auc` | ✅ pass | 0.7 is at least 0.6 |",
        "Slices of `carrier` with too few rows to judge: `ZZ`.",
        "git checkout flights@v0.1.0 && dvc pull",
        "mlops-kit pull v0.1.0",
        ON_NO_BRANCH,
        "First version.",
    ):
        assert part in text
