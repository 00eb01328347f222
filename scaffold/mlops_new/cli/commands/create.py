"""mlops-new NAME."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from mlops_new.cli import completion
from mlops_new.cli.options import excludes
from mlops_new.cli.output import finish, reporter, show
from mlops_new.cli.words import expect_no_command


class Create(click.Command):
    """Called by no word of its own, so that none shows in usage and errors."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if parent:
            shared = ("help_option_names", "max_content_width", "terminal_width")
            extra = {name: getattr(parent, name) for name in shared} | extra
            info_name, parent = parent.info_name, parent.parent
        return super().make_context(info_name, args, parent, **extra)


def _as_path(context: click.Context, _argument: click.Parameter, word: str | None) -> Path | None:
    """The name as a path. Raises click.UsageError for a word that looks like a command, also behind an option."""
    if word is None:
        return None
    if not context.resilient_parsing:  # as when a shell asks for completions
        expect_no_command(word)
    return Path(word)


@click.command(cls=Create)
@click.argument(
    "name",
    required=False,
    type=click.Path(),
    callback=_as_path,
    shell_complete=completion.commands_or_folders,
)
@click.option("--data", type=click.Path(path_type=Path), help="Your own CSV or Parquet file.")
@click.option("--target", metavar="COLUMN", help="Column to predict.")
@click.option(
    "--time",
    metavar="COLUMN",
    help="Time column; its newest rows are the test set.  [default: the one that is found]",
)
@click.option(
    "--task",
    type=click.Choice(["binary", "multiclass", "regression"]),
    help="Kind of prediction.  [default: what the values of the target say]",
)
@click.option(
    "--sample",
    type=click.Choice(["synthetic", "rows", "none"]),
    help="Rows in data/sample.csv, which Git tracks.  [default: synthetic]",
)
@click.option(
    "--slice",
    "slices",
    metavar="COLUMN",
    multiple=True,
    help="Column whose values are judged one by one; can be repeated.",
)
@click.option(
    "--with",
    "tiers",
    metavar="TIER[=TOOL]",
    multiple=True,
    shell_complete=completion.tools,
    help="Tier to switch on; can be repeated. Without TOOL it gets its first tool.",
)
@click.option(
    "--remote",
    metavar="URL",
    default="",
    help="DVC remote: s3://, gs://, azure://, ssh:// or a folder.  [default: none]",
)
@click.option(
    "--kit",
    type=click.Choice(["remote", "vendored"]),
    default="remote",
    show_default=True,
    help="Where workflows take our actions from: our releases, or a copy in the repository.",
)
@click.option(
    "--code-owner", metavar="@NAME", default="", help="GitHub user or @organisation/team to ask for reviews."
)
@click.option("--defaults", is_flag=True, help="Ask nothing, even on a terminal.")
@click.option("--train", is_flag=True, help="Install the environment, train, and commit the result.")
@click.option(
    "--dry-run", is_flag=True, help="Print what would be made and inferred; write nothing, install nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@excludes("--dry-run", "--train")
def command(
    name: Path | None, defaults: bool, train: bool, dry_run: bool, as_json: bool, **options: Any
) -> None:
    """Make a machine-learning repository that trains on real data the minute it exists.

    NAME is a path. Its last part names the folder, the package, the model and the tags; in the last three,
    underscores become hyphens (my_model: my-model@v0.1.0). Inside a project, write a path: ./NAME.
    Without --data the repository holds the embedded starter data: will this flight be late?
    """
    from mlops_new.base import processes  # here, so that --help does not wait for them
    from mlops_new.create import create, first_training, plan_text, text
    from mlops_new.create.request import CreateRequest

    if name is None:
        interactive = sys.stdin.isatty() and sys.stdout.isatty() and not defaults and not as_json
        if not interactive:
            raise click.UsageError("NAME is missing. Try: mlops-new my-project")
        from mlops_new.cli import questions

        answers = questions.ask(options, train)
        if not dry_run:
            questions.confirm(answers, reporter())
        name, options, train = answers.name, answers.options, answers.train
    if train:
        processes.require("uv")
    progress = reporter()
    request = CreateRequest(path=name, **options)
    if dry_run:
        plan = create.plan(request, progress)
        finish(plan_text.as_json(plan, request), plan_text.summary(plan, request), as_json)
        return
    repository = create.create(request, progress)
    if not as_json:
        show(text.creation_summary(repository, request, train))
    metrics = first_training.train(repository.path, progress) if train else None
    if as_json:
        click.echo(json.dumps(text.as_json(repository, metrics), indent=2))
    elif metrics:
        show(text.training_summary(repository, metrics))
    if train and repository.remote:
        first_training.push(repository.path, repository.remote, progress)
