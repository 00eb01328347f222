"""The review as Markdown for an issue, and as one self-contained HTML page."""

from html import escape

from mlops_kit.base.markdown import code, number, plain, table
from mlops_kit.data import metrics_file
from mlops_kit.reports import plots, report_html
from mlops_kit.reports.bars import bar, scale
from mlops_kit.reports.review.collect import Review
from mlops_kit.reports.review.weeks import RaisedAlarm, Week
from mlops_kit.statistics.intervals import Estimate

MOST_SLICES, MOST_COLUMNS = 12, 8
NOT_CONNECTED = "No predictions log is connected (`monitoring.log` of mlops.yaml), so the quality of the model is unknown."


def markdown(review: Review) -> str:
    week = review.week
    parts = [
        f"## {plain(review.model)}, {plain(review.headline)}",
        _span(week),
        "### To decide\n\n" + ("\n".join(f"- {one}" for one in review.decide) or "Nothing."),
        "### Quality\n\n" + (_weeks(review) if review.connected else NOT_CONNECTED),
    ]
    parts += [f"### Slices\n\n{_slices(week)}"] if week.slices else []
    parts += [f"### Drift\n\n{_drift(review)}", f"### Alarms\n\n{_alarms(review.alarms)}"]
    parts += [f"### Versions and trainings\n\n{_versions(review)}"]
    return "\n\n".join([*parts, *(f"_{plain(note)}_" for note in review.notes)]) + "\n"


def _span(week: Week) -> str:
    return f"Monday {week.monday:%Y-%m-%d} to Sunday {week.monday.fromordinal(week.monday.toordinal() + 6):%Y-%m-%d}, UTC."


def _weeks(review: Review) -> str:
    """A table of weeks, newest first; a week without predictions is a gap."""
    judged = [
        metrics_file.Metric(one.figure.value, one.figure.low, one.figure.high)
        for one in review.weeks
        if one.figure
    ]
    low, high = scale(judged) if judged else (0.0, 1.0)
    rows = []
    for week in reversed(review.weeks):
        figure = week.figure
        drawn = (
            f"`{bar(metrics_file.Metric(figure.value, figure.low, figure.high), low, high)}`"
            if figure
            else ""
        )
        unknown = "can't tell" if week.labelled else "no labels yet" if week.predictions else ""
        value = number(figure.value) if figure else unknown
        count = f"{week.predictions:,}" if week.predictions else "none"
        rows.append(
            [
                week.name,
                count,
                f"{week.labelled:,}" if week.labelled else "",
                value,
                drawn,
                f"{week.failed:,}" if week.failed else "",
            ]
        )
    text = table(
        [
            "week",
            "predictions",
            "with label",
            review.metric or "quality",
            f"{number(low)} to {number(high)}",
            "failed",
        ],
        rows,
        (1, 2, 3, 5),
    )
    reference = next((one.figure.reference for one in reversed(review.weeks) if one.figure), None)
    return text if reference is None else f"{text}\n\nAt registration it was {number(reference)}."


def _slices(week: Week) -> str:
    """A table of slices, highest loss first."""
    worst = sorted(week.slices.items(), key=lambda pair: -pair[1].value)
    rows = [
        [
            code(name),
            number(one.value),
            _interval(one),
            f"{one.n:,}",
            "" if one.reference is None else number(one.reference),
        ]
        for name, one in worst[:MOST_SLICES]
    ]
    left = len(worst) - len(rows)
    text = table(["slice", "mean loss", "99 % interval", "rows", "at registration"], rows, (1, 2, 3, 4))
    return f"{text}\n\nThe page has {left} more slices." if left > 0 else text


def _interval(estimate: Estimate) -> str:
    return f"{number(estimate.low)} to {number(estimate.high)}"


def _drift(review: Review) -> str:
    week = review.week
    if not week.checks:
        last = f" The newest check was that of {review.checked}." if review.checked else ""
        return f"No window was checked in this week.{last}"
    saw = f"{_of_many(week.checks, 'check')} saw {_of_many(week.windows, 'window')}"
    if not week.drifted and not week.telling:
        return f"{saw}, too small to tell whether a column drifted."
    if not week.drifted:
        return f"{saw}, and no column drifted."
    named = ", ".join(code(name) for name in week.drifted[:MOST_COLUMNS])
    more = len(week.drifted) - MOST_COLUMNS
    return f"{saw}; drift in {named}{f' and {more} more' if more > 0 else ''}."


def _of_many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _alarms(alarms: list[RaisedAlarm]) -> str:
    if not alarms:
        return "None."
    rows = [
        [
            f"[{code(one.kind)}]({one.where})" if one.where else code(one.kind),
            f"{one.began:%Y-%m-%d %H:%M}",
            f"{one.ended:%Y-%m-%d %H:%M}" if one.ended else "open",
        ]
        for one in alarms
    ]
    return table(["alarm", "began", "ended"], rows)


def _versions(review: Review) -> str:
    lines = _version_lines(review)
    return "\n".join(f"- {line}" for line in lines)


def _version_lines(review: Review) -> list[str]:
    used = review.in_use
    lines = (
        [
            f"{code(used.version)} is in production, {used.age} old"
            + ("" if used.stage else " (the newest version; none was promoted yet)")
        ]
        if used
        else ["No version yet."]
    )
    lines += [f"Registered: {', '.join(map(code, review.registered))}"] if review.registered else []
    lines += [f"Promoted: {plain(one)}" for one in review.promoted]
    lines += [f"Rolled back: {plain(one)}" for one in review.rolled_back]
    by_hand = f"; by hand: {_counts(review.week.by_hand)}" if review.week.by_hand else ""
    return [*lines, f"Trainings: {_counts(review.week.trainings)}{by_hand}"]


def _counts(trainings: dict[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in trainings.items()) or "none"


# ---- the page ----


def html(review: Review) -> str:
    title = f"{review.model}, week {review.week.name}"
    head = f"<h1>{report_html.text(review.model)}: {report_html.text(review.headline)}</h1>\n<p class=quiet>{_span(review.week)}</p>"
    decide = report_html.render("\n".join(f"- {one}" for one in review.decide))
    quality = _quality_plots(review) if review.connected else report_html.render(NOT_CONNECTED)
    sections = [
        ("To decide", decide or "<p>Nothing.</p>"),
        ("Quality", quality),
        ("Slices", _slice_plots(review.week)),
        ("Drift", report_html.render(_drift(review))),
        ("Alarms", _alarm_table(review.alarms)),
        ("Versions and trainings", report_html.render(_versions(review))),
    ]
    return report_html.document(title, head, sections)


def _quality_plots(review: Review) -> str:
    drawn = []
    if any(week.figure for week in review.weeks):
        points = [(week.name, _or_gap(week.figure)) for week in review.weeks]
        reference = next((one.figure.reference for one in reversed(review.weeks) if one.figure), None)
        legend = "<p class=quiet>dashed: at registration</p>" if reference is not None else ""
        drawn.append(f"<figure>{plots.history(points, review.metric, reference)}{legend}</figure>")
    drawn += [
        f"<figure>{plots.counts([(week.name, week.predictions) for week in review.weeks], 'predictions')}</figure>",
        f"<figure>{plots.counts([(week.name, week.labelled) for week in review.weeks], 'with a label')}</figure>",
    ]
    if any(week.failed for week in review.weeks):
        failed = [(week.name, week.failed) for week in review.weeks]
        drawn.append(f"<figure>{plots.counts(failed, 'failed')}</figure>")
    return f"<div class=plots>{''.join(drawn)}</div>"


def _or_gap(figure: Estimate | None) -> metrics_file.Metric:
    """A week that nothing is known of is a gap in the line."""
    if figure is None:
        return metrics_file.Metric(float("nan"))
    return metrics_file.Metric(figure.value, figure.low, figure.high, figure.n)


def _slice_plots(week: Week) -> str:
    worst = sorted(week.slices.items(), key=lambda pair: -pair[1].value)
    named = [
        (f"{name} ({one.n:,})", metrics_file.Metric(one.value, one.low, one.high, one.n))
        for name, one in worst[: 2 * MOST_SLICES]
    ]
    return f"<div class=plots><figure>{plots.intervals(named, 'mean loss')}</figure></div>" if named else ""


def _alarm_table(alarms: list[RaisedAlarm]) -> str:
    if not alarms:
        return "<p>None.</p>"
    rows = [
        [
            f'<a href="{escape(one.where)}">{report_html.code(one.kind)}</a>'
            if one.where
            else report_html.code(one.kind),
            f"{one.began:%Y-%m-%d %H:%M}",
            f"{one.ended:%Y-%m-%d %H:%M}" if one.ended else "<strong class=fail>open</strong>",
        ]
        for one in alarms
    ]
    return report_html.table(["alarm", "began", "ended"], rows)
