"""`mlops-kit lineage`"""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.cli.options import excludes, json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.forge import runner
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import lineage, lineage_text
from mlops_kit.versions import version as versions
from mlops_kit.versions.lineage_text import in_words


@click.command()
@click.argument("version", default="", required=False)
@click.option("--stage", default="", help="What is in it now, or with --at was. [production]")
@click.option("--at", default="", metavar="TIME", help="2026-11-24, 2026-11-24T08:00, or 7d ago.")
@click.option(
    "--file", "model", type=click.Path(path_type=Path), help="Model file, folder or md5: find its version."
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
    repo = repository.find(Path.cwd())
    name = contracts.load(repo.root).model
    versions.refresh(repo, name, tell)
    answer = lineage.answer(lineage.book(repo, name), version, stage, at, model, data)
    if answer.note:
        tell(answer.note)
    drawn = lineage_text.mermaid(answer.found)
    runner.summary(f"```mermaid\n{drawn}\n```")
    words = drawn if mermaid else in_words(answer)
    finish(asdict(answer), words if answer.found else "", as_json, yes=bool(answer.found))
