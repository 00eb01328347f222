"""`mlops-kit register`"""

from pathlib import Path

import click

from mlops_kit.cli.options import examples, excludes, json_option, left_by_a_job
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import writes
from mlops_kit.versions.version import BUMPS


@click.command(
    epilog=examples(
        "mlops-kit register",
        "mlops-kit register --bump patch",
    )
)
@click.option(
    "--bump",
    type=click.Choice(BUMPS),
    default="minor",
    show_default=True,
    help="Part of the version number to raise.",
)
@click.option(
    "--hand-over",
    is_flag=True,
    help="Push the data and write the folder mlops-run/ for another job; register nothing.",
)
@click.option(
    "--from",
    "handed",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    callback=left_by_a_job,
    help="Register what --hand-over wrote into this folder, after checks against Git and the lock file.  "
    "[default: register the workspace]",
)
@click.option(
    "--tell",
    metavar="VERSION",
    help="Only run the after_register hooks of this version, which --from registered.  [default: none]",
)
@json_option
@excludes("--hand-over", "--from", "--tell", "--bump")
@excludes("--tell", "--from", "--bump")
def command(bump: str, hand_over: bool, handed: Path | None, tell: str | None, as_json: bool) -> None:
    """Register the trained model as a version (a Git tag).

    The tag's commit holds the record, the model card and the lock file. All gates must pass and all changes must be
    committed. An unchanged result registers nothing. Exits with 10 if a gate fails; the record is then kept on the
    branch mlops/runs.
    """
    from mlops_kit.alerts import heartbeat
    from mlops_kit.forge import runner
    from mlops_kit.project import contract as contracts
    from mlops_kit.project import repository
    from mlops_kit.registry import announce, register

    repo = repository.find(Path.cwd())
    if not tell:
        writes(repo)
    contract = contracts.load(repo.root)
    say = reporter()
    if tell:
        done = register.announce_registered(repo, contract, tell, say)
    elif hand_over:
        done = register.hand_over(repo, contract, say)
    elif handed:
        done = register.receive(repo, contract, handed.absolute(), bump, say)
    else:
        done = register.local(repo, contract, bump, say)
    waits = bool(handed) and done.outcome == "registered" and announce.listens(contract, "after_register")
    runner.output(outcome=done.outcome, version=done.version, tag=done.tag, commit=done.commit, untold=waits)
    runner.annotate("notice", done.says)
    if not hand_over and not tell:
        runner.summary(f"### {done.says}")
        if runner.on_runner() and (dead := heartbeat.look(repo)):
            runner.annotate("warning", dead)
    finish(done, "\n".join(filter(None, (done.says, done.to_do))), as_json, yes=done.outcome != "rejected")
