"""The verdict on top of Evidently's page: whose word counts, and why the two may differ."""

from html import escape
from typing import Any

STYLE = """<style>
.verdict { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 1.5rem auto; padding: 0 1.5rem }
.verdict table { border-collapse: collapse } .verdict td, .verdict th { padding: .15rem 1.2rem .15rem 0; text-align: left }
.verdict .moved { font-weight: 600 }
</style>"""
DIFFERENCE = """<code>mlops-kit monitor</code> decides what is drift. Evidently shows the same rows and measures one distance for each
column; it says "detected" for exactly the columns in which the kit found drift. The kit also looks at spread, shape and missing
values, so a drift may have a distance below its limit. It ignores a change of less than 2 % of the rows, so a distance may be
above its limit without drift. If the kit can't tell, because the window is too small, Evidently says "not detected". The
limits are resampled from the reference for a window of this size: of 100 windows like the reference, at most one has a
distance above a limit. New categories and missing columns are listed above; they are not drift."""


def with_verdict(
    html: str, check: dict[str, Any], limits: dict[str, dict[str, Any]], scores: dict[str, float]
) -> str:
    before, body, after = html.partition("<body>")
    if not body:
        raise ValueError(
            "Evidently's page has no <body>; its version is not the one of constraints.txt."
        )
    return f"{before}{body}{verdict(check, limits, scores)}{after}"


def verdict(
    check: dict[str, Any], limits: dict[str, dict[str, Any]], scores: dict[str, float]
) -> str:
    data = check["data"]
    version = check["version"] or "the rows here (no version yet)"
    rows = "".join(_row(name, limits[name], scores[name], data) for name in scores)
    others = [
        f"<li>{escape(one['column'])}: {escape(one['kind'])}, {escape(one['what'])}</li>"
        for one in data["changes"]
    ]
    return f"""{STYLE}<section class="verdict"><h1>Inputs: {escape(data["state"])}</h1>
<p>{escape(check["window"])}, {data["compared"]:,} of {data["n"]:,} rows, against {escape(version)}.</p>
<table><tr><th>column</th><th>the kit</th><th>Evidently's distance</th><th>limit</th></tr>{rows}</table>
<ul>{"".join(others)}</ul><p>{DIFFERENCE}</p></section>"""


def _row(name: str, limit: dict[str, Any], score: float, data: dict[str, Any]) -> str:
    bound = limit["step"] if "step" in limit else limit["jensen_shannon"]
    drift = next((one["what"] for one in data["drifts"] if one["column"] == name), "")
    none = "can't tell" if data["state"] == "can't tell" else "no drift"
    moved = ' class="moved"' if drift else ""
    return (
        f"<tr{moved}><td>{escape(name)}</td><td>{escape(drift or none)}{_why(bool(drift), score > bound)}</td>"
        f"<td>{score:.3f}</td><td>{bound:.3f}</td></tr>"
    )


def _why(is_drift: bool, is_above: bool) -> str:
    """Why distance and verdict differ; empty if they do not."""
    if is_drift and not is_above:
        return " (seen in spread, shape or missing values, not in this distance)"
    return " (above the limit, but too few rows changed)" if is_above and not is_drift else ""
