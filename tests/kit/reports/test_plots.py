"""What a report draws, of whatever dvc.yaml declares or the predictions hold."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from mlops_kit.data.metrics_file import Metric
from mlops_kit.project import contract
from mlops_kit.project.repository import Repository
from mlops_kit.reports import curves, report_html, report_markdown
from mlops_kit.reports import plots as report_plots
from mlops_kit.reports import svg as svg_axes

from tests.kit.reports.harness import built


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
    roc = curves._binary_curves([True, False, True, False], [0.9, 0.8, 0.8, 0.1])[0]
    assert list(zip(roc.x, roc.y, strict=True)) == [(0, 0), (0, 0.5), (0.5, 1), (1, 1)]


@pytest.mark.parametrize(("task", "title"), [("regression", "Residuals"), ("multiclass", "Confusion")])
def test_other_tasks_have_their_plot(repository: Repository, task: str, title: str) -> None:
    settings = (repository.root / "mlops.yaml").read_text().replace("binary", task)
    (repository.root / "mlops.yaml").write_text(settings)
    (repository.root / "predictions.csv").write_text("key,actual,prediction\n1,2,2\n2,3,2\n")
    assert [one.title for one in drawn(repository)] == [title]
    assert report_html.html(built(repository)).count("<svg") >= 1


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
    assert list(svg_axes.numbers([low, high], within=within).ticks.values()) == ticks.split()


@pytest.mark.parametrize("kind", ["line", "scatter", "bars"])
@pytest.mark.parametrize("values", [[0.0], [1.0, 1.0], [-1e-9, 1e12], [float(n) for n in range(2000)]])
def test_every_number_becomes_a_drawing_that_is_xml(kind: str, values: list[float]) -> None:
    names = [f"<{value}> & 'more'" for value in values] if kind == "bars" else values
    svg = report_plots.curve(curves.Curve("t", kind, "a < b", "c & d", values, names, diagonal=True))
    ElementTree.fromstring(svg)
    assert not re.search(r"nan|inf", svg) and "var(--accent)" in svg


def test_an_interval_without_an_end_is_drawn_as_its_figure() -> None:
    named = [("a", Metric(0.5, float("nan"), float("inf"))), ("b", Metric(0.7, 0.6, 0.8))]
    for svg in (report_plots.intervals(named, "m"), report_plots.history(named, "m")):
        assert not re.search(r"nan|inf", svg)


@pytest.mark.parametrize("first", ["2026-W36", "v0.1.0"])
def test_a_name_that_leans_is_not_cut_at_the_left(first: str) -> None:
    """Each ends below its place; a letter is 7 wide and 8 high, as a wide font has it."""
    drawing = report_plots.counts([(first, 1), *((f"2026-W{at}", 1) for at in range(37, 48))], "failed")
    found = re.findall(r'<text x="([\d.]+)"[^>]*rotate\(-45[^>]*>([^<]+)</text>', drawing)
    assert len(found) == 12
    assert min(float(x) - 0.7 * (7 * len(name) + 8) for x, name in found) >= 0


def test_mermaid_has_numbers_that_it_reads(repository: Repository) -> None:
    for one in [*drawn(repository), curves.Curve("B", "bars", "x", "y", [1e-7, 0.5, -2e-9], ["a", "b", "c"])]:
        text = report_markdown.mermaid(one)
        assert text.splitlines()[1].startswith("xychart-beta") and "plotColorPalette" in text
        assert not re.search(r"\de[-+]?\d|nan|inf", text)
