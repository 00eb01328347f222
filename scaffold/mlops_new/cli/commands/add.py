"""mlops-new add."""

from pathlib import Path

import click

from mlops_new.cli import completion
from mlops_new.cli.options import directory_option, dry_run_option, json_option
from mlops_new.cli.output import finish


@click.command(
    epilog="\b\nExamples:\n  mlops-new add serving\n  mlops-new add orchestration=airflow --dry-run"
)
@click.argument("words", metavar="TIER[=TOOL]...", nargs=-1, required=True, shell_complete=completion.tools)
@directory_option
@dry_run_option
@json_option
def command(words: tuple[str, ...], directory: Path, dry_run: bool, as_json: bool) -> None:
    """Switch tiers on.

    Without TOOL, a tier gets its first tool (see `mlops-new tiers`). The version of the template stays. Copier
    does the same: copier update --vcs-ref=:current: --defaults -d TIER=TOOL
    """
    from mlops_new.grow import grow, text

    with grow.open_project(directory.resolve()) as project:
        tools = grow.tools_to_add(project, words)
        with grow.try_update(project, tools, dry=dry_run) as trial:
            if not dry_run:
                trial.apply()
            what = text.list_tools(tools)
            summary = text.summary(trial, f"Added {what}", f"Would add {what}", f"Add {what}")
    finish(text.as_json(trial, tiers=project.tools | tools), summary, as_json, text.exit_code(trial))
