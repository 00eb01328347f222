"""The report as one HTML file that needs nothing else: no script, no request, dark and light."""

from dataclasses import replace
from functools import cache
from html import escape
from typing import TYPE_CHECKING

from mlops_kit.base.markdown import JOINER, number, one_line
from mlops_kit.data.metrics_file import Metric
from mlops_kit.registry.card import count, interval
from mlops_kit.reports import plots
from mlops_kit.reports.report import Report
from mlops_kit.reports.report_markdown import by_column
from mlops_kit.versions.description import judgement, opening, sections
from mlops_kit.versions.gate_results import GateResult

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

# Of CommonMark: what the kit writes and no more. No rule makes a link, an image or an HTML tag.
RULES = ["heading", "list", "backticks", "emphasis", "escape", "entity"]
MOST_SLICES, MOST_HISTORY = 25, 4
WORDS = {"pass": "pass", "fail": "fail", "unknown": "can't tell", "removed": "removed"}
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2024; --quiet: #6b7280; --line: #e3e6ea;
  --accent: #1f6feb; --area: #1f6feb2e; --pass: #1a7f37; --fail: #cf222e; --unknown: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --paper: #0f1318; --ink: #e6e9ee; --quiet: #98a2b0; --line: #2b323b;
  --accent: #6cb0ff; --area: #6cb0ff33; --pass: #57c26f; --fail: #ff7b72; --unknown: #e0b341; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; font-weight: 600; }
.quiet { color: var(--quiet); margin: .25rem 0; } .wide { overflow-x: auto; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .unknown, .removed { color: var(--unknown); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--quiet); font-weight: 500; } .n { text-align: right; white-space: nowrap; }
td:first-child { white-space: nowrap; } td .say { margin: 0; min-width: 12rem; }
code { font: .9em ui-monospace, monospace; }
ul { margin: .25rem 0 1rem; padding-left: 1.2rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem 2rem; }
figure { margin: 0; } svg { display: block; width: 100%; height: auto; max-width: 34rem; }
svg text { font-family: system-ui, sans-serif; }
"""
# Nothing is loaded and nothing runs, whatever a slice's name or a commit's subject holds.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def html(report: Report) -> str:
    sections = [
        ("Gates", _gates(report)),
        ("Metrics", _metrics(report)),
        ("History", _history(report)),
        ("What changed", _changes(report)),
        ("Plots", _plots(report)),
        ("Slices", _slices(report)),
        ("Training", _training(report)),
    ]
    return document(f"{report.model}: {report.verdict_in_words}", _head(report), sections)


def document(title: str, head: str, sections: list[tuple[str, str]]) -> str:
    """A whole page; `head` and the sections are HTML already, and a section without any is left out."""
    body = "\n".join(f"<section><h2>{name}</h2>\n{inner}</section>" for name, inner in sections if inner)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{head}\n{body}\n"
        "</body>\n</html>\n"
    )


def text(content: object, limit: int = 400) -> str:
    return escape(one_line(content, limit))


def code(content: object) -> str:
    return f"<code>{text(content, 200)}</code>"


def table(head: list[str], rows: list[list[str]], number_columns: tuple[int, ...] = ()) -> str:
    """A table whose cells are HTML already; `number_columns` are aligned to the right."""

    def line(cells: list[str], tag: str) -> str:
        marked = (
            f"<{tag}{' class=n' if at in number_columns else ''}>{cell}</{tag}>"
            for at, cell in enumerate(cells)
        )
        return f"<tr>{''.join(marked)}</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    return f"<div class=wide><table><thead>{line(head, 'th')}</thead>\n<tbody>{body}</tbody></table></div>"


def _head(report: Report) -> str:
    status = {True: "pass", False: "fail", None: "unknown"}[report.is_open]
    lines = [f"<h1>{text(report.model)}: <span class={status}>{text(report.verdict_in_words)}</span></h1>"]
    if report.training:
        lines.append(f"<p><strong>{text(report.training.heading)}</strong></p>")
    origin = (
        f"Commit {code(report.now.code.commit[:12])}, {text(report.now.created[:16].replace('T', ' '))} UTC"
    )
    link = f', <a href="{escape(report.link)}">the run and its logs</a>' if report.link else ""
    return "\n".join([*lines, f"<p class=quiet>{origin}{link}</p>"])


def _gates(report: Report) -> str:
    results = report.verdict.results if report.verdict else []
    if not results:
        return "<p>No gate was asked. <code>mlops-kit gate</code> asks those of mlops.yaml.</p>"
    return table(["gate", "result", "why"], [_gate(one) for one in results])


def _gate(result: GateResult) -> list[str]:
    loosened = (
        f" <strong class=fail>Loosened in this change: {text(result.loosened)}</strong>"
        if result.loosened
        else ""
    )
    why = f"{text(result.says)}{loosened}" + (
        f"<p class=quiet>{text(result.because)}</p>" if result.because else ""
    )
    return [
        code(result.name),
        f"<span class={result.shown}>{WORDS[result.shown]}</span>",
        f"<div class=say>{why}</div>",
    ]


def _metrics(report: Report) -> str:
    figures = report.history[-1][1]
    if report.before is None:
        head = ["metric", "now", "interval", "rows"]
        return table(head, [[code(name), *_metric_cells(one)] for name, one in figures.items()], (1, 2, 3))
    rows = []
    for change in report.differences.metrics:
        before = number(change.before.value) if change.before else ""
        difference = f"{change.difference:+.4g}" if change.difference else ""
        verdict = judgement(change) if change.difference else "the same" if change.difference == 0 else ""
        now, *range_and_rows = _metric_cells(change.after) if change.after else ["", "", ""]
        rows.append(
            [code(change.name), now, before, difference, f"<p class=say>{text(verdict)}</p>", *range_and_rows]
        )
    head = ["metric", "now", text(report.before.version), "difference", "", "interval", "rows"]
    return table(head, rows, (1, 2, 3, 5, 6))


def _metric_cells(metric: Metric) -> list[str]:
    return [number(metric.value), interval(metric), count(metric)]


def _history(report: Report) -> str:
    """Plots of the first few metrics over the versions; a metric that only one version has is left out."""
    drawn = []
    for name in list(report.history[-1][1])[:MOST_HISTORY]:
        points = [(version, figures[name]) for version, figures in report.history if name in figures]
        points = [point for point in points if point[1].is_number]
        if len(points) > 1:
            drawn.append(f"<figure>{plots.history(points, name)}</figure>")
    return f"<div class=plots>{''.join(drawn)}</div>" if drawn else ""


def _changes(report: Report) -> str:
    """The description as it goes into the record, but for the metrics, which have their own table."""
    others = replace(report.differences, metrics=[], slices=[])
    parts = [f"### {head}\n\n" + "\n".join(lines) for head, lines in sections(others).items()]
    return render("\n\n".join([opening(report.differences), *parts]))


def render(markdown: str) -> str:
    """The Markdown that the kit writes as HTML: paragraphs, headings, lists, emphasis and code spans.

    Links, images, HTML, tables and code blocks stay text, whatever the repository's own texts hold.
    """
    html: str = _renderer().render(markdown)
    return html.replace(JOINER, "")


@cache
def _renderer() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("zero").enable(RULES)


def _plots(report: Report) -> str:
    drawn = [f"<figure><h3>{text(one.title)}</h3>{plots.curve(one)}</figure>" for one in report.curves]
    return f"<div class=plots>{''.join(drawn)}</div>" if drawn else ""


def _slices(report: Report) -> str:
    drawn = []
    for group in by_column(report.slices):
        judged = [(f"{one.value} ({one.n or 0:,})", one.figure) for one in group if one.figure]
        few = len(group) - len(judged)
        left = max(len(judged) - MOST_SLICES, 0)
        notes = [f"{few} slices with too few rows"] * bool(few) + [f"{left} better slices left out"] * bool(
            left
        )
        note = f"<p class=quiet>{text('; '.join(notes))}</p>" if notes else ""
        plot = plots.intervals(judged[:MOST_SLICES], group[0].metric) if judged else ""
        drawn.append(f"<figure><h3>{text(group[0].column)}</h3>{note}{plot}</figure>")
    return f"<div class=plots>{''.join(drawn)}</div>" if drawn else ""


def _training(report: Report) -> str:
    if report.training is None:
        return ""
    stages = [[code(name), text(status)] for name, status in report.training.stages.items()]
    steps = [[code(name), f"{seconds:.1f} s"] for name, seconds in report.steps.items()]
    tables = [table(["stage", ""], stages)] * bool(stages) + [table(["step", "took"], steps)] * bool(steps)
    return f"<p>Training took {report.training.seconds:.1f} s.</p>" + "".join(tables)
