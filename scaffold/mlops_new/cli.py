"""The `mlops-new` command: parse, call, print."""

import gc
import json
import signal
import sys
from pathlib import Path
from typing import Any

import click

from mlops_new.errors import MlopsNewError


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 something you can fix, 2 wrong usage, 3 our bug.",
)
@click.argument("name", required=False, type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Your own CSV or Parquet file.")
@click.option("--target", metavar="COLUMN", help="Column to predict.")
@click.option("--time", metavar="COLUMN", help="Column to split by: the newest rows are the test set.")
@click.option("--slice", "slices", metavar="COLUMN", multiple=True, help="Judge its values one by one.")
@click.option("--with", "tiers", metavar="LAYER[=TOOL]", multiple=True, help="Switch a tier on.")
@click.option(
    "--remote", metavar="URL", default="", help="DVC remote: s3://, gs://, azure://, ssh:// or a folder."
)
@click.option(
    "--kit",
    type=click.Choice(["remote", "vendored"]),
    default="remote",
    show_default=True,
    help="Where workflows will take our actions from; recorded for the version that has them.",
)
@click.option("--defaults", is_flag=True, help="Ask nothing.")
@click.option("--train", is_flag=True, help="Also install the environment, train and commit the result.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.version_option(package_name="mlops-new")
def command(name: Path | None, defaults: bool, train: bool, as_json: bool, **wishes: Any) -> None:
    """Make a machine-learning repository that trains on real data the minute it exists.

    NAME is a path; its last part names repository and model. Without --data it holds the embedded
    starter data: will this flight be late?
    """
    from mlops_new import create, processes, says, training  # here, so that --help does not wait for them

    asks = sys.stdin.isatty() and sys.stdout.isatty() and not defaults and not as_json
    if name is None:
        if not asks:
            raise click.UsageError("NAME is missing. Try: mlops-new my-project")
        name, wishes = _ask(wishes)
    if train:
        processes.require("uv")
    say = says.reporter()
    wanted = create.Wishes(path=name, **wishes | {"tiers": tuple(_tier(word) for word in wishes["tiers"])})
    made = create.create(wanted, say)
    if not as_json:
        click.echo(says.created_in_words(made, wanted, train))
    trained = training.train(made.path, say) if train else None
    if as_json:
        report = {"path": str(made.path), "name": made.name, "files": made.files, "notes": made.notes}
        click.echo(json.dumps(report | {"metrics": trained.metrics if trained else None}, indent=2))
    elif trained:
        click.echo(says.trained_in_words(made, trained))


def _tier(word: str) -> tuple[str, str]:
    layer, _, tool = word.partition("=")
    return layer, tool


def _ask(wishes: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    """The four questions, on a terminal."""
    name = Path(click.prompt("Name (a path)", default="my-project"))
    if wishes["data"] is None:
        data = click.prompt(
            "Data file, CSV or Parquet (empty: the starter data)", default="", show_default=False
        )
        wishes["data"] = Path(data).expanduser() if data else None
    if wishes["data"] and not wishes["target"]:
        wishes["target"] = click.prompt("Column to predict")
    if wishes["data"] and not wishes["time"]:
        time = click.prompt("Time column to split by (empty: find one)", default="", show_default=False)
        wishes["time"] = time or None
    return name, wishes


def main() -> None:
    """Runs the command and turns every end into an exit code and, where it failed, a few words."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    gc.disable()  # a fifth of a short run would go into looking for garbage that is not there
    try:
        sys.exit(command(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MlopsNewError as error:
        click.echo(f"mlops-new: {error.what}", err=True)
        if error.do:
            click.echo(error.do, err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nmlops-new: stopped; nothing half-written is left.", err=True)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  # the last resort: what nobody foresaw is our bug
        import traceback

        traceback.print_exc()
        click.echo(f"mlops-new: this is our bug ({type(error).__name__}). Please report it.", err=True)
        sys.exit(3)
    finally:
        gc.freeze()  # nor look for it at the end, in all that was imported
