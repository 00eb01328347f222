"""mlops-new add."""

from pathlib import Path

import click

from mlops_new.cli import directory_option, dry_run_option, finish, json_option


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
    from mlops_new import grown, growth

    with growth.standing(directory.resolve()) as here:
        adding = growth.to_add(here, words)
        with growth.switched(here, adding) as trial:
            if not dry_run:
                trial.apply()
            what = grown.joined(adding)
            said = grown.in_words(trial, f"{'Would add' if dry_run else 'Added'} {what}:", f"Add {what}")
    finish(grown.report(trial, tiers=here.on | adding), said, as_json, code=grown.code(trial))
