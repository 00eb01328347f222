"""The report: verdict first, of bounded size, and harmless whatever the repository says."""

import json
import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import code, one_line, plain
from mlops_kit.data.metrics_file import Metric
from mlops_kit.project.repository import Repository
from mlops_kit.registry.card import ON_NO_BRANCH, card
from mlops_kit.reports import bars, report_html, report_markdown, report_text
from mlops_kit.training import train
from mlops_kit.training.train import Training

from tests.kit.base.test_markdown import HOSTILE
from tests.kit.builders import a_record, commit, figure, metrics, tag, write_metrics
from tests.kit.reports.harness import built, judged


def test_right_after_a_first_training(repository: Repository) -> None:
    text = report_markdown.markdown(built(repository))
    assert text.startswith("## ❔ flights: no gate was run; first version\n")
    assert "The gates were not run yet: `mlops-kit gate`." in text
    assert "| `model.roc_auc` | 0.7200 | 0.7000 to 0.7400 | 500 |" in text


@pytest.mark.parametrize(
    ("statuses", "better", "heading"),
    [
        (["pass"], "better", "✅ flights: all gates pass; better than v0.1.0"),
        (
            ["pass"],
            "worse",
            "✅ flights: all gates pass; worse than v0.1.0, but by no more than the champion gate allows",
        ),
        (["pass", "fail"], "worse", "❌ flights: not all gates pass; worse than v0.1.0"),
        (
            ["pass", "unknown"],
            "can't tell",
            "❌ flights: not all gates pass; can't tell whether better than v0.1.0",
        ),
        ([], "", "❔ flights: no gate was run; can't tell whether better than v0.1.0"),
    ],
)
def test_the_verdict_comes_first(
    with_version: Repository, statuses: list[str], better: str, heading: str
) -> None:
    judged(with_version, *statuses, better=better, against="v0.1.0")
    found = built(with_version)
    assert report_markdown.markdown(found).splitlines()[0] == f"## {heading}"
    assert f"<title>{escape(heading[2:])}</title>" in report_html.html(found)


def test_differences_and_noise_stand_in_the_table(with_version: Repository) -> None:
    assert (
        "| `model.roc_auc` | 0.7000 | 0.7200 | +0.02 | inside the noise band of ±0.028 |"
        in report_markdown.markdown(built(with_version))
    )


def test_the_sample_is_said(repository: Repository) -> None:
    train.save(repository, Training("r", repository.commit(), "sample", "fork", {"train": "ran"}, 3.0))
    (repository.root / train.SAMPLE_LOCK).write_text((repository.root / "dvc.lock").read_text())
    text = report_markdown.markdown(built(repository))
    assert text.splitlines()[2] == "**fork: trained on the committed sample, nothing registered**"
    assert "Training took 3.0 s: `train` ran." in text


def test_the_worst_slices_come_first_and_few_rows_are_no_figure(repository: Repository) -> None:
    slices = {f"S{at}": {"n": 100, "roc_auc": figure(0.6 + at / 100)} for at in range(9)}
    write_metrics(repository.root, metrics(0.7, **slices, few={"n": 3}))
    text = report_markdown.markdown(built(repository))
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
    bar = bars.bar(Metric(0.5, 0.25, 0.75), 0.0, 1.0)
    assert bar == "······──────●──────······"


def test_a_huge_report_stays_under_githubs_limit(with_version: Repository) -> None:
    many = {f"metric_{at}_" + "x" * 100: figure(0.5) for at in range(2000)}
    slices = {
        "slices": {f"c{at}" + "y" * 150: {f"v{i}" * 30: figure(0.5) for i in range(9)} for at in range(300)}
    }
    write_metrics(with_version.root, many | slices)
    judged(with_version, *["fail"] * 500)
    text = report_markdown.markdown(built(with_version))
    assert 2000 < len(text) < 60_500 and "Too long for a comment, see report.html: " in text


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
    text, html = report_markdown.markdown(found), report_html.html(found)
    for line in text.splitlines():
        outside = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", line)
        assert "<script" not in outside and "@acme" not in outside and "://" not in outside
    assert len(re.findall("^```", text, re.MULTILINE)) == 2 and text.count("\n</details>") == 1
    assert "<script" not in html and "onerror=" not in html and html.count("</svg>") == 3


class Tags(HTMLParser):
    """The tags with their attributes, and the text outside style sheets."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("made_safe", [plain, code])
def test_what_the_kit_writes_is_text_in_the_page_too(text: str, made_safe: Callable[[str], str]) -> None:
    """As part of a paragraph, of an item, of a heading and of a nested item."""
    said = made_safe(text)
    found = Tags(report_html.render(f"One: {said}\n\n### Two: {said}\n\n- three: {said}\n  - four: {said}\n"))
    assert {tag for tag, _ in found.tags} <= {"p", "h3", "ul", "li", "code"}
    assert not [attributes for _, attributes in found.tags if attributes]
    shown = [line for line in found.text.split("\n") if line]
    assert shown == [f"{name}: {one_line(text)}" for name in ("One", "Two", "three", "four")]


@pytest.mark.parametrize("text", HOSTILE)
def test_even_what_nobody_made_safe_neither_loads_nor_links_nor_runs(text: str) -> None:
    found = Tags(report_html.render(text))
    harmless = {"p", "h1", "h2", "h3", "ul", "ol", "li", "code", "em", "strong", "br"}
    assert {tag for tag, _ in found.tags} <= harmless
    assert {name for _, attributes in found.tags for name in attributes} <= {"start"}


def test_a_page_of_a_hostile_repository_holds_its_own_tags_alone(with_version: Repository) -> None:
    own = {tag for tag, _ in Tags(report_html.html(built(with_version))).tags}
    for text in HOSTILE:
        commit(with_version, text.replace("\0", ""))  # no argument holds it
    write_metrics(with_version.root, dict.fromkeys(HOSTILE, 0.5))
    judged(with_version, "fail", name=HOSTILE[0], says=" ".join(HOSTILE), because=" ".join(HOSTILE))
    found = Tags(report_html.html(built(with_version)))
    assert {tag for tag, _ in found.tags} <= own | {
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "div",
        "h3",
        "ul",
        "li",
    }
    assert not [tag for tag, _ in found.tags if tag in ("a", "img", "script", "iframe", "link", "object")]
    names = {name for _, attributes in found.tags for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("href", "src", "action")]


def test_the_page_asks_for_nothing_else(with_version: Repository) -> None:
    html = report_html.html(built(with_version))
    assert "default-src 'none'" in html and "<script" not in html
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|@import|url\(\s*["']?(?!#)""", html)
    assert "currentColor" in html and "var(--accent)" in html
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_the_page_is_the_same_again(with_version: Repository) -> None:
    one, two = (
        re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "", report_html.html(built(with_version))) for _ in range(2)
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


def test_a_terminal_shows_ten_lines_at_most_and_the_path_of_the_page(with_version: Repository) -> None:
    content = metrics(0.60)
    content["model"] |= {f"m{at}": figure(at / 10) for at in range(9)}
    write_metrics(with_version.root, content)
    judged(with_version, "pass", *["fail"] * 3, *["unknown"] * 3, better="worse", against="v0.1.0")
    lines = report_text.short(built(with_version), Path("x/report.html")).splitlines()
    assert len(lines) <= 10 and lines[-1] == "Page: x/report.html"
    assert lines[0] == "flights: not all gates pass; worse than v0.1.0"
    assert "  FAIL: gate g1: why 1" in lines and "  and 3 more gates" in lines
    assert any(
        line.startswith("  model.roc_auc 0.6000 (0.5800 to 0.6200); -0.1 (worse, ") for line in lines
    ), lines
