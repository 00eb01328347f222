"""mlops-new remove."""

from pathlib import Path

import click

from mlops_new.cli import completion
from mlops_new.cli.options import directory_option, dry_run_option, excludes, force_option, json_option
from mlops_new.cli.output import confirm_deletion, finish


@click.command(
    epilog="\b\nExamples:\n  mlops-new remove serving\n  mlops-new remove drift registry --dry-run"
)
@click.argument("words", metavar="TIER...", nargs=-1, required=True, shell_complete=completion.tools)
@directory_option
@force_option
@dry_run_option
@json_option
@excludes("--dry-run", "--force")
def command(words: tuple[str, ...], directory: Path, force: bool, dry_run: bool, as_json: bool) -> None:
    """Switch tiers off and delete their files.

    Your own files stay. If you edited a file of a tier, the command asks first. Copier does the same without
    asking: copier update --vcs-ref=:current: --defaults -d TIER=none
    """
    from mlops_new.grow import grow, text
    from mlops_new.template import tiers

    with grow.open_project(directory.resolve()) as project:
        tools = grow.tools_to_remove(project, words)
        with grow.try_update(project, dict.fromkeys(tools, tiers.NONE), dry=dry_run) as trial:
            if not dry_run and confirm_deletion(trial.edited, force):
                trial.apply()
            what = text.list_tools(tools)
            summary = text.summary(trial, f"Removed {what}", f"Would remove {what}", f"Remove {what}")
    left = {layer: tool for layer, tool in project.tools.items() if layer not in tools}
    report = text.as_json(trial, tiers=left, edited=trial.edited)
    finish(report, summary, as_json, text.exit_code(trial))
