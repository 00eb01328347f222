"""A lineage as a Mermaid flowchart, which GitHub draws in any comment or file."""

from collections.abc import Iterator
from datetime import UTC, datetime

from mlops_kit.base.markdown import one_line, size
from mlops_kit.versions.lineage import Answer, Held, Lineage

MOST = 12  # of data files, parameters and stays, so that the picture can be read


def mermaid(found: list[Lineage]) -> str:
    lines = ["flowchart LR"]
    for place, one in enumerate(found):
        lines += _of(one, f"v{place}")
    return "\n".join(lines)


def _of(one: Lineage, at: str) -> Iterator[str]:
    for number, file in enumerate(one.data[:MOST]):
        rows = f"{file.rows:,} rows, " if file.rows is not None else ""
        yield f"    {at}d{number}[({_label(file.path, f'{rows}{size(file.bytes)}', f'md5 {file.md5[:8]}')})] --> {at}run"
    if len(one.data) > MOST:
        yield f"    {at}more[({_label(f'and {len(one.data) - MOST} more')})] --> {at}run"
    if one.code:
        about = one.code.commit[:7], one.code.subject, one.code.author
        yield f"    {at}code[{_label('code', *about)}] --> {at}run"
    if one.parameters:
        shown = [f"{name} = {value}" for name, value in one.parameters.items()]
        more = [f"and {len(shown) - MOST} more"] if len(shown) > MOST else []
        yield f"    {at}params[{_label('parameters', *shown[:MOST], *more)}] --> {at}run"
    if one.environment:
        files = [f"{name} {digest[:8]}" for name, digest in one.environment.files.items()]
        python = [f"Python {one.environment.python}"] if one.environment.python else []
        yield f"    {at}env[{_label('environment', *files, *python)}] --> {at}run"
    if one.run:
        yield f"    {at}run[[{_label('run ' + one.run.id, f'{one.run.event}, {one.run.by}')}]] --> {at}"
    models = [f"{file.path} {file.md5[:8]}" for file in one.artifacts]
    yield f"    {at}([{_label(f'{one.model} {one.version}', one.created[:10], *models)}])"
    for number, held in enumerate(one.stages[-MOST:]):
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
    return "\n\n".join([f"{answer.asked} (times in UTC):", *("\n".join(lines(one)) for one in answer.found)])


def lines(one: Lineage) -> list[str]:
    found = [_line("version", f"{one.version}, {to_the_minute(one.created)}, tag {one.tag}")]
    found += [_line("model", f"{file.path}, {size(file.bytes)}, md5 {file.md5}") for file in one.artifacts]
    for file in one.data:
        rows = f"{file.rows:,} rows, " if file.rows is not None else ""
        found.append(_line("data", f"{file.path}, {rows}{size(file.bytes)}, md5 {file.md5}"))
    if one.code:
        by = f" ({one.code.author}, {to_the_minute(one.code.date)})" if one.code.author else ""
        found.append(_line("code", f"{one.code.commit[:10]} {one_line(one.code.subject)}{by}"))
    found += [_line("parameter", f"{name} = {value}") for name, value in one.parameters.items()]
    if one.environment:
        files = [f"{name} {digest[:8]}" for name, digest in one.environment.files.items()]
        python = [f"Python {one.environment.python}"] if one.environment.python else []
        machine = f"{one.environment.platform}, {one.environment.threads} threads"
        found.append(_line("environment", ", ".join([*files, *python, machine])))
    if one.run:
        url = f", {one.run.url}" if one.run.url else ""
        found.append(_line("run", f"{one.run.id}, {one.run.event}, by {one.run.by}{url}"))
    if one.since:
        found.append(_line("before it", f"{one.since} (mlops-kit why {one.since} {one.version})"))
    return [
        *found,
        *(_line("stage", stay_text(held)) for held in one.stages),
        *([one.note] if one.note else []),
    ]


def stay_text(held: Held) -> str:
    until = f"to {to_the_minute(held.until)}" if held.until else "until now"
    note = f" [{held.note}]" if held.note else ""
    return f"{held.stage} from {to_the_minute(held.since)} {until}, {held.kind} by {held.by}: {one_line(held.why)}{note}"


def to_the_minute(moment: str | datetime) -> str:
    """To the minute, in UTC."""
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M}"


def _line(name: str, text: str) -> str:
    return f"  {name:12}{text}"
