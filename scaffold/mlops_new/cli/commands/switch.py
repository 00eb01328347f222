"""mlops-new switch."""

from pathlib import Path

import click

from mlops_new.cli import completion
from mlops_new.cli.options import directory_option, dry_run_option, excludes, force_option, json_option
from mlops_new.cli.output import confirm_deletion, finish


@click.command(
    epilog="\b\nExamples:\n  mlops-new switch orchestration=airflow\n  mlops-new switch drift=whylogs --dry-run"
)
@click.argument("words", metavar="TIER=TOOL...", nargs=-1, required=True, shell_complete=completion.tools)
@directory_option
@force_option
@dry_run_option
@json_option
@excludes("--dry-run", "--force")
def command(words: tuple[str, ...], directory: Path, force: bool, dry_run: bool, as_json: bool) -> None:
    """Replace a tier's tool with another one.

    If you edited a file of the old tool, the command asks first. Copier does the same without asking:
    copier update --vcs-ref=:current: --defaults -d TIER=TOOL
    """
    from mlops_new.grow import grow, text

    with grow.open_project(directory.resolve()) as project:
        current, tools = grow.tools_to_switch(project, words)
        with grow.try_update(project, tools, dry=dry_run) as trial:
            if not dry_run and confirm_deletion(trial.edited, force):
                trial.apply()
            what = f"{text.list_tools(current)} to {text.list_tools(tools)}"
            summary = text.summary(trial, f"Switched {what}", f"Would switch {what}", f"Switch {what}")
    report = text.as_json(trial, tiers=project.tools | tools, edited=trial.edited)
    finish(report, summary, as_json, text.exit_code(trial))
