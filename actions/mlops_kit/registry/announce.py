"""Tell hooks, the registry server and those that serve about a version that was registered or promoted."""

from typing import Literal

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.registry import mirror, servers
from mlops_kit.runs import hooks
from mlops_kit.runs.events import Journal

Moment = Literal["after_register", "after_promote"]


def listens(contract: Contract, moment: Moment) -> bool:
    """True if a hook, a registry server or a server of the model waits for this moment."""
    told = moment == "after_promote" and contract.serving is not None and bool(contract.serving.servers)
    return told or bool(contract.hooks.get(moment)) or contract.registry is not None


def announce(
    contract: Contract, repository: Repository, moment: Moment, journal: Journal, say: Say, **env: str
) -> list[str]:
    """Ask servers to look at the stage, run the hooks, sync the registry server. `env` reaches both as MLOPS_NAME.

    Returns the names of the hooks that failed, and `registry`: the version or the promotion stands all the same.
    """
    if moment == "after_promote" and contract.serving and contract.serving.stage == env["stage"]:
        servers.refresh(contract.serving.servers, say)
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
