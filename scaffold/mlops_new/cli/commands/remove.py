"""mlops-new remove."""

from pathlib import Path

import click

from mlops_new.cli.options import directory_option, dry_run_option, excludes, force_option, json_option
from mlops_new.cli.output import agreed, finish


@click.command()
@click.argument("words", metavar="LAYER...", nargs=-1, required=True)
@directory_option
@force_option
@dry_run_option
@json_option
@excludes("--dry-run", "--force")
def command(words: tuple[str, ...], directory: Path, force: bool, dry_run: bool, as_json: bool) -> None:
    """Switch tiers off and delete their files; files of your own stay.

    Asks where a file of theirs was edited. The same by Copier alone, which does not ask:
    copier update --vcs-ref=:current: --defaults -d LAYER=none
    """
    from mlops_new.grow import grow, text
    from mlops_new.template import tiers

    with grow.standing(directory.resolve()) as here:
        going = grow.to_remove(here, words)
        with grow.switched(here, dict.fromkeys(going, tiers.NONE)) as trial:
            if not dry_run and agreed(trial.lost, force):
                trial.apply()
            what = text.joined(going)
            said = text.in_words(
                trial, f"{'Would remove' if dry_run else 'Removed'} {what}:", f"Remove {what}"
            )
    left = {layer: tool for layer, tool in here.on.items() if layer not in going}
    finish(text.report(trial, tiers=left, edited=trial.lost), said, as_json, code=text.code(trial))
