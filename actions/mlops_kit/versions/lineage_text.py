"""A lineage as a Mermaid flowchart, which GitHub draws in any comment or file."""

from collections.abc import Iterator
from datetime import UTC, datetime

from mlops_kit.base.markdown import one_line, size
from mlops_kit.base.text_table import text_table
from mlops_kit.versions.lineage import Answer, Held, Lineage

MOST = 12  # of data files, parameters and stays, so that the picture can be read


def mermaid(lineages: list[Lineage]) -> str:
    lines = ["flowchart LR"]
    for place, lineage in enumerate(lineages):
        lines += _nodes(lineage, f"v{place}")
    return "\n".join(lines)


def _nodes(lineage: Lineage, at: str) -> Iterator[str]:
    for number, file in enumerate(lineage.data[:MOST]):
        rows = f"{file.rows:,} rows, " if file.rows is not None else ""
        yield f"    {at}d{number}[({_label(file.path, f'{rows}{size(file.bytes)}', f'md5 {file.md5[:8]}')})] --> {at}run"
    if len(lineage.data) > MOST:
        yield f"    {at}more[({_label(f'and {len(lineage.data) - MOST} more')})] --> {at}run"
    if lineage.code:
        about = lineage.code.commit[:7], lineage.code.subject, lineage.code.author
        yield f"    {at}code[{_label('code', *about)}] --> {at}run"
    if lineage.parameters:
        shown = [f"{name} = {value}" for name, value in lineage.parameters.items()]
        more = [f"and {len(shown) - MOST} more"] if len(shown) > MOST else []
        yield f"    {at}params[{_label('parameters', *shown[:MOST], *more)}] --> {at}run"
    if lineage.environment:
        files = [f"{name} {digest[:8]}" for name, digest in lineage.environment.files.items()]
        python = [f"Python {lineage.environment.python}"] if lineage.environment.python else []
        yield f"    {at}env[{_label('environment', *files, *python)}] --> {at}run"
    if lineage.run:
        yield f"    {at}run[[{_label('run ' + lineage.run.id, f'{lineage.run.event}, {lineage.run.by}')}]] --> {at}"
    models = [f"{file.path} {file.md5[:8]}" for file in lineage.artifacts]
    yield f"    {at}([{_label(f'{lineage.model} {lineage.version}', lineage.created[:10], *models)}])"
    for number, held in enumerate(lineage.stages[-MOST:]):
        until = f"{held.until:%Y-%m-%d %H:%M}" if held.until else "now"
        days = f"{held.since:%Y-%m-%d %H:%M} to {until}"
        yield f"    {at} --> {at}s{number}{{{{{_label(held.stage, days, f'{held.by}: {held.why}')}}}}}"


def _label(*lines: str) -> str:
    """In quotes; what Mermaid or HTML would read as its own is written as an entity."""
    shown = (one_line(line, 60) for line in lines if line)
    return '"' + "<br>".join("".join(map(_sign, line)) for line in shown) + '"'


def _sign(sign: str) -> str:
    return f"#{ord(sign)};" if sign in '"#&;<>`\\' else sign


def in_words(answer: Answer) -> str:
    return "\n\n".join(
        [f"{answer.asked} (times in UTC):", *("\n".join(lines(lineage)) for lineage in answer.found)]
    )


def lines(lineage: Lineage) -> list[str]:
    text_lines = [_line("version", f"{lineage.version}, {to_the_minute(lineage.created)}, tag {lineage.tag}")]
    text_lines += [
        _line("model", f"{file.path}, {size(file.bytes)}, md5 {file.md5}") for file in lineage.artifacts
    ]
    for file in lineage.data:
        rows = f"{file.rows:,} rows, " if file.rows is not None else ""
        text_lines.append(_line("data", f"{file.path}, {rows}{size(file.bytes)}, md5 {file.md5}"))
    if lineage.code:
        by = f" ({lineage.code.author}, {to_the_minute(lineage.code.date)})" if lineage.code.author else ""
        text_lines.append(_line("code", f"{lineage.code.commit[:10]} {one_line(lineage.code.subject)}{by}"))
    text_lines += [_line("parameter", f"{name} = {value}") for name, value in lineage.parameters.items()]
    if lineage.environment:
        files = [f"{name} {digest[:8]}" for name, digest in lineage.environment.files.items()]
        python = [f"Python {lineage.environment.python}"] if lineage.environment.python else []
        machine = f"{lineage.environment.platform}, {lineage.environment.threads} threads"
        text_lines.append(_line("environment", ", ".join([*files, *python, machine])))
    if lineage.run:
        url = f", {lineage.run.url}" if lineage.run.url else ""
        text_lines.append(_line("run", f"{lineage.run.id}, {lineage.run.event}, by {lineage.run.by}{url}"))
    if lineage.since:
        text_lines.append(
            _line("before it", f"{lineage.since} (mlops-kit why {lineage.since} {lineage.version})")
        )
    return [
        *text_lines,
        *(_line("stage", stay_text(held)) for held in lineage.stages),
        *([lineage.note] if lineage.note else []),
    ]


def stay_text(held: Held) -> str:
    until = f"to {to_the_minute(held.until)}" if held.until else "until now"
    note = f" [{held.note}]" if held.note else ""
    return f"{held.stage} from {to_the_minute(held.since)} {until}, {held.kind} by {held.by}: {one_line(held.why)}{note}"


def stay_table(stays: list[Held]) -> str:
    """A line for each time that a version was in a stage; empty if there is none."""
    rows = [
        (
            one.version,
            one.stage,
            to_the_minute(one.since),
            to_the_minute(one.until) if one.until else "now",
            one.kind,
            one.by,
            one_line(one.why) + (f" [{one.note}]" if one.note else ""),
        )
        for one in stays
    ]
    return (
        "\n".join(text_table(("version", "stage", "from (UTC)", "until", "change", "by", "why"), rows))
        if rows
        else ""
    )


def to_the_minute(moment: str | datetime) -> str:
    """To the minute, in UTC."""
    time = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"


def _line(name: str, text: str) -> str:
    return f"  {name:12}{text}"
