"""`mlops-kit doctor`"""

from pathlib import Path

import click

from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish


@click.command
@json_option
def command(as_json: bool) -> None:
    """Look for what is wrong: remote, credentials, rules, schedule, lock, versions.

    Each finding comes with the command that mends it. Ends with 10 when something fails; what cannot be
    looked at from here, for instance without GITHUB_TOKEN, is unknown and no failure.
    """
    from dataclasses import asdict

    from mlops_kit.doctor import doctor
    from mlops_kit.project import repository

    findings = doctor.examine(repository.find(Path.cwd()))
    content = [asdict(one) for one in findings]
    finish(content, doctor.in_words(findings), as_json, yes=doctor.is_well(findings))
