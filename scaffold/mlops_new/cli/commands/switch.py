"""mlops-new switch."""

from pathlib import Path

import click

from mlops_new.cli.options import directory_option, dry_run_option, excludes, force_option, json_option
from mlops_new.cli.output import agreed, finish


@click.command()
@click.argument("words", metavar="LAYER=TOOL...", nargs=-1, required=True)
@directory_option
@force_option
@dry_run_option
@json_option
@excludes("--dry-run", "--force")
def command(words: tuple[str, ...], directory: Path, force: bool, dry_run: bool, as_json: bool) -> None:
    """Put another tool in the place of the one that a layer has.

    Asks where a file of the old one was edited. The same by Copier alone, which does not ask:
    copier update --vcs-ref=:current: --defaults -d LAYER=TOOL
    """
    from mlops_new.grow import grow, text

    with grow.standing(directory.resolve()) as here:
        going, coming = grow.to_switch(here, words)
        with grow.switched(here, coming) as trial:
            if not dry_run and agreed(trial.lost, force):
                trial.apply()
            what = f"{text.joined(going)} to {text.joined(coming)}"
            said = text.in_words(
                trial, f"{'Would switch' if dry_run else 'Switched'} {what}:", f"Switch {what}"
            )
    finish(
        text.report(trial, tiers=here.on | coming, edited=trial.lost), said, as_json, code=text.code(trial)
    )
