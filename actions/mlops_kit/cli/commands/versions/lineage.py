"""`mlops-kit lineage`"""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.cli.options import examples, excludes, json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.forge import runner
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import lineage, lineage_text
from mlops_kit.versions import version as versions
from mlops_kit.versions.lineage_text import in_words


@click.command(
    epilog=examples(
        "mlops-kit lineage v0.3.0",
        "mlops-kit lineage --stage production --at 2026-11-24T08:00",
    )
)
@click.argument("version", default="", required=False)
@click.option(
    "--stage", default="", metavar="STAGE", help="The version in this stage.  [default: production]"
)
@click.option(
    "--at",
    default="",
    metavar="TIME",
    help="The version of that time, for instance 2026-11-24T08:00 or 7d ago.  [default: now]",
)
@click.option(
    "--file",
    "model",
    metavar="FILE|MD5",
    type=click.Path(path_type=Path),
    help="The version of this model file, folder or md5.  [default: none]",
)
@click.option(
    "--data",
    metavar="FILE|MD5",
    type=click.Path(path_type=Path),
    help="All versions that were trained on this file or md5.  [default: none]",
)
@click.option(
    "--mermaid", is_flag=True, help="Print a Mermaid diagram, which GitHub draws in comments and pages."
)
@json_option
@excludes("VERSION", "--stage", "--at", "--file", "--data")
@excludes("--file", "--stage", "--at", "--data")
@excludes("--data", "--stage", "--at")
@excludes("--json", "--mermaid")
def command(
    version: str, stage: str, at: str, model: Path | None, data: Path | None, mermaid: bool, as_json: bool
) -> None:
    """Trace a model back to its data, code, run and author.

    The model is given by VERSION, by a stage, or by a file. The default is the version in production. Exits with 10 if
    there is no such version.
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
