"""Tell the hooks and the registry server about a version that was registered or promoted."""

from typing import Literal

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.registry import mirror
from mlops_kit.runs import hooks
from mlops_kit.runs.events import Journal

Moment = Literal["after_register", "after_promote"]


def listens(contract: Contract, moment: Moment) -> bool:
    """True if a hook or a registry server waits for this moment."""
    return bool(contract.hooks.get(moment)) or contract.registry is not None


def announce(
    contract: Contract, repository: Repository, moment: Moment, journal: Journal, say: Say, **env: str
) -> list[str]:
    """Run the hooks, then sync the registry server. `env` reaches both as MLOPS_NAME.

    Returns the names of those that failed: the version or the promotion stands all the same.
    """
    failed = hooks.run_hooks(contract, repository, moment, journal, say, **env)
    variables = hooks.variables(contract, journal, moment, env)
    if contract.registry and not _sync(contract, repository, journal, say, variables):
        failed.append("registry")
    return failed


def _sync(
    contract: Contract, repository: Repository, journal: Journal, say: Say, variables: dict[str, str]
) -> bool:
    """False if the server could not be brought up to date, or disagrees with the tags."""
    say("Sync the registry")
    try:
        with journal.stage("registry:sync") as facts:
            agrees = mirror.sync(repository, contract, say, **variables)
            facts |= {} if agrees else {"status": "differs"}
    except KitError as error:
        say(f"warning: {error.what}\n{error.do}")
        return False
    if not agrees:
        say("warning: the registry differs from the versions here; see above.")
    return agrees
