"""mlops-kit lineage."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from mlops_kit.base.markdown import one_line, size
from mlops_kit.cli.main import finish, json_option, tell
from mlops_kit.cli.options import excludes
from mlops_kit.forge import runner
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import lineage, lineage_text
from mlops_kit.versions import version as versions
from mlops_kit.versions.lineage import Answer, Held, Lineage


@click.command()
@click.argument("version", default="", required=False)
@click.option("--stage", default="", help="What is in it now, or with --at was. [production]")
@click.option("--at", default="", metavar="TIME", help="2026-11-24, 2026-11-24T08:00, or 7d ago.")
@click.option(
    "--file", "model", type=click.Path(path_type=Path), help="Whose model this file is; or its md5."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Forward: who was trained on it; or on its md5."
)
@click.option("--mermaid", is_flag=True, help="As a picture, for a comment or a page on GitHub.")
@json_option
@excludes("VERSION", "--stage", "--at", "--file", "--data")
@excludes("--file", "--stage", "--at", "--data")
@excludes("--data", "--stage", "--at")
@excludes("--json", "--mermaid")
def command(
    version: str, stage: str, at: str, model: Path | None, data: Path | None, mermaid: bool, as_json: bool
) -> None:
    """Say where a model came from: data, code, parameters, environment, run and person.

    Of VERSION, of what is or was in a stage, or of a model file; without any, of production. Ends with 10
    when there is no such version.
    """
    here = repository.find(Path.cwd())
    name = contracts.load(here.root).model
    versions.refresh(here, name, tell)
    answer = _ask(lineage.book(here, name), version, stage, at, model, data)
    if answer.note:
        tell(answer.note)
    drawn = lineage_text.mermaid(answer.found)
    runner.summary(f"```mermaid\n{drawn}\n```")
    words = drawn if mermaid else in_words(answer)
    finish(asdict(answer), words if answer.found else "", as_json, yes=bool(answer.found))


def _ask(
    book: lineage.Book, version: str, stage: str, at: str, model: Path | None, data: Path | None
) -> Answer:
    if version:
        return lineage.of_version(book, version)
    if at:
        return lineage.at(book, at, stage or "production")
    if stage:
        return lineage.of_stage(book, stage)
    if model:
        return lineage.of_file(book, model)
    return lineage.trained_on(book, data) if data else lineage.of_default(book)


def in_words(answer: Answer) -> str:
    return "\n\n".join([f"{answer.asked} (times in UTC):", *("\n".join(lines(one)) for one in answer.found)])


def lines(one: Lineage) -> list[str]:
    found = [_line("version", f"{one.version}, {when(one.created)}, tag {one.tag}")]
    found += [_line("model", f"{file.path}, {size(file.bytes)}, md5 {file.md5}") for file in one.artifacts]
    for file in one.data:
        rows = f"{file.rows:,} rows, " if file.rows is not None else ""
        found.append(_line("data", f"{file.path}, {rows}{size(file.bytes)}, md5 {file.md5}"))
    if one.code:
        by = f" ({one.code.author}, {when(one.code.date)})" if one.code.author else ""
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
    return [*found, *(_line("stage", stay(held)) for held in one.stages), *([one.note] if one.note else [])]


def stay(held: Held) -> str:
    until = f"to {when(held.until)}" if held.until else "until now"
    note = f" [{held.note}]" if held.note else ""
    return (
        f"{held.stage} from {when(held.since)} {until}, {held.kind} by {held.by}: {one_line(held.why)}{note}"
    )


def when(moment: str | datetime) -> str:
    """To the minute, in UTC."""
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M}"


def _line(name: str, text: str) -> str:
    return f"  {name:12}{text}"
