"""mlops-new NAME."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from mlops_new.cli.output import reporter


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


@click.command(cls=Create)
@click.argument("name", required=False, type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Your own CSV or Parquet file.")
@click.option("--target", metavar="COLUMN", help="Column to predict.")
@click.option("--time", metavar="COLUMN", help="Column to split by: the newest rows are the test set.")
@click.option(
    "--task",
    type=click.Choice(["binary", "multiclass", "regression"]),
    help="What kind of prediction, instead of what the target's values say.",
)
@click.option("--slice", "slices", metavar="COLUMN", multiple=True, help="Judge its values one by one.")
@click.option(
    "--with",
    "tiers",
    metavar="LAYER[=TOOL]",
    multiple=True,
    help="Switch a tier on, with its first tool if none is named.",
)
@click.option(
    "--remote", metavar="URL", default="", help="DVC remote: s3://, gs://, azure://, ssh:// or a folder."
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
@click.option("--defaults", is_flag=True, help="Ask nothing.")
@click.option("--train", is_flag=True, help="Also install the environment, train and commit the result.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(name: Path | None, defaults: bool, train: bool, as_json: bool, **wishes: Any) -> None:
    """Make a machine-learning repository that trains on real data the minute it exists.

    NAME is a path; its last part names repository and model. Without --data it holds the embedded
    starter data: will this flight be late?
    """
    from mlops_new.base import processes  # here, so that --help does not wait for them
    from mlops_new.create import create, first_training, text

    asks = sys.stdin.isatty() and sys.stdout.isatty() and not defaults and not as_json
    if name is None:
        if not asks:
            raise click.UsageError("NAME is missing. Try: mlops-new my-project")
        name, wishes = _ask(wishes)
    if train:
        processes.require("uv")
    say = reporter()
    wanted = create.Wishes(path=name, **wishes)
    made = create.create(wanted, say)
    if not as_json:
        click.echo(text.created_in_words(made, wanted, train))
    metrics = first_training.train(made.path, say) if train else None
    if as_json:
        report = {"path": str(made.path)} | {
            key: getattr(made, key) for key in ("name", "files", "tiers", "notes")
        }
        click.echo(json.dumps(report | {"metrics": metrics}, indent=2))
    elif metrics:
        click.echo(text.trained_in_words(made, metrics))
    if train and made.remote:
        first_training.push(made.path, made.remote, say)


def _ask(wishes: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    """The four questions, on a terminal; an answer that cannot be is asked for again."""
    name = click.prompt("Name (a path)", default="my-project", value_proc=_name)
    if wishes["data"] is None:
        wishes["data"] = click.prompt(
            "Data file, CSV or Parquet (empty: the starter data)",
            default="",
            show_default=False,
            value_proc=_data,
        )
    if wishes["data"] and not wishes["target"]:
        wishes["target"] = click.prompt("Column to predict")
    if wishes["data"] and not wishes["time"]:
        time = click.prompt("Time column to split by (empty: find one)", default="", show_default=False)
        wishes["time"] = time or None
    return name, wishes


def _name(answer: str) -> Path:
    from mlops_new.base import names

    path = Path(answer).expanduser()
    if not names.NAME.fullmatch(path.resolve().name):
        better = names.proper(path.resolve().name)
        raise click.BadParameter(f"not {names.RULE}{f'; try {better!r}' if better else ''}.")
    return path


def _data(answer: str) -> Path | None:
    path = Path(answer).expanduser()
    if answer and not path.is_file():
        raise click.BadParameter(f"There is no file {answer!r}.")
    return path if answer else None
