"""`mlops-kit doctor`"""

from pathlib import Path

import click

from mlops_kit.base.github_env import TOKEN
from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish


@click.command(
    epilog=examples(
        "mlops-kit doctor",
        f"{TOKEN}=$(gh auth token) mlops-kit doctor",
    )
)
@json_option
def command(as_json: bool) -> None:
    """Find problems of this repository, and how to fix them.

    It checks the DVC remote, credentials, rules of GitHub, the schedule, the lock file and the versions. Each problem
    comes with the command that fixes it. Exits with 10 if a check fails. A check that is not possible here, for
    instance without GITHUB_TOKEN, is `unknown`, which is no failure.
    """
    from dataclasses import asdict

    from mlops_kit.doctor import doctor
    from mlops_kit.project import repository

    findings = doctor.examine(repository.find(Path.cwd()))
    content = [asdict(one) for one in findings]
    finish(content, doctor.in_words(findings), as_json, yes=doctor.is_well(findings))
