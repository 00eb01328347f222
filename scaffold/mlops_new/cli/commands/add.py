"""mlops-new add."""

from pathlib import Path

import click

from mlops_new.cli.options import directory_option, dry_run_option, json_option
from mlops_new.cli.output import finish


@click.command()
@click.argument("words", metavar="LAYER[=TOOL]...", nargs=-1, required=True)
@directory_option
@dry_run_option
@json_option
def command(words: tuple[str, ...], directory: Path, dry_run: bool, as_json: bool) -> None:
    """Switch tiers on; the version of the template stays.

    Without TOOL it is the first that `mlops-new tiers` has for the layer. The same by Copier alone:
    copier update --vcs-ref=:current: --defaults -d LAYER=TOOL
    """
    from mlops_new.grow import grow, text

    with grow.standing(directory.resolve()) as here:
        adding = grow.to_add(here, words)
        with grow.switched(here, adding) as trial:
            if not dry_run:
                trial.apply()
            what = text.joined(adding)
            said = text.in_words(trial, f"{'Would add' if dry_run else 'Added'} {what}:", f"Add {what}")
    finish(text.report(trial, tiers=here.on | adding), said, as_json, code=text.code(trial))
