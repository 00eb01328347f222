"""Check the data with the project's own command, before anything trains."""

import re
from dataclasses import dataclass

from mlops_kit.base.errors import KitError
from mlops_kit.base.masking import masked
from mlops_kit.base.processes import ProcessError, run, words
from mlops_kit.base.progress import Say
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import check, transfer
from mlops_kit.runs.events import Journal
from mlops_kit.training import freshness, inputs, train
from mlops_kit.versions import version

NOT_RUN = (126, 127)  # what a shell says
TRACEBACK = re.compile(r"^Traceback \(most recent call last\):$|: No module named ", re.MULTILINE)


@dataclass(frozen=True)
class Validation:
    """`says` is the output of the project's command, or why it was not run."""

    valid: bool
    asked: bool
    file: str
    says: str


def validate(
    repository: Repository, contract: Contract, journal: Journal, say: Say, file: str | None
) -> Validation:
    """Raises KitError if the data cannot be fetched or the command breaks. Refused data is a result."""
    with journal.stage("validate", file=file) as facts:
        result = _validate(repository, contract, say, file)
        facts["status"] = "end" if result.valid else "refused"
        facts["says"] = None if result.valid else result.says[:2000]
    return result


def _validate(repository: Repository, contract: Contract, say: Say, file: str | None) -> Validation:
    if not contract.commands.validate_:
        return Validation(True, False, "", "mlops.yaml names no command `validate`: nothing was checked.")
    if file is None and contract.sample and train.why_sample(repository, contract):
        file = contract.sample.file
    if file is None and (missing := inputs.missing_data(repository)):
        version.refresh(repository, contract.model, say)
        if since := unchanged_since(repository, contract):
            return Validation(True, False, "", f"No input changed since {since}, and it was checked then.")
        say(f"Bringing {', '.join(missing)}")
        transfer(repository, contract.commands.dvc, "pull", *missing)
    elif file is None:
        check(repository, repository.pointers().values())
    say("Checking the data")
    command = [*words(contract.commands.validate_), *([file] if file else [])]
    try:
        output = run(command, repository.root)
    except ProcessError as error:
        if _broke(error):
            raise KitError(
                f"The check of the data broke, so nothing is known of the data:\n{error.last_words(15)}",
                f"It is the check that broke, not the data: mend `{contract.commands.validate_}` (commands.validate "
                "in mlops.yaml); where it refuses data, it ends with 1 and no traceback.",
            ) from error
        return Validation(False, True, file or "", error.last_words(40))
    return Validation(True, True, file or "", masked(output.strip()))


def _broke(error: ProcessError) -> bool:
    """True if the command gave no verdict: it was killed, could not be run, or ended in a traceback."""
    return error.code < 0 or error.code in NOT_RUN or bool(TRACEBACK.search(error.stderr))


def unchanged_since(repository: Repository, contract: Contract) -> str:
    """The newest version, where nothing would be trained again; empty otherwise."""
    newest = version.newest(repository, contract.model)
    lock = repository.lock(newest.tag) if newest else None
    if newest is None or lock is None or not freshness.of(repository, contract, lock, newest.commit).is_fresh:
        return ""
    return newest.name
