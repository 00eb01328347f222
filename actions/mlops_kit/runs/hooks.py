"""Commands of tiers that run at fixed moments: before_train, after_gate, after_register and so on."""

from collections.abc import Callable

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run, words
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Hook
from mlops_kit.runs.events import Journal

STOPS: tuple[Hook, ...] = ("before_train",)  # what comes after it would build on what it did not do
MIRRORED: tuple[Hook, ...] = ("after_register", "after_promote")  # moments after which a registry is behind


def listens(contract: Contract, name: Hook) -> bool:
    """Is there anything to run at this moment?"""
    return bool(contract.hooks.get(name)) or (contract.registry is not None and name in MIRRORED)


def run_hooks(
    contract: Contract,
    repository: Repository,
    name: Hook,
    journal: Journal,
    say: Callable[[str], None],
    **env: str,
) -> list[str]:
    """Runs the hooks in the order of their names, then the registry's; `env` reaches them as MLOPS_NAME.

    Returns those that failed. A hook that fails is an event and a warning, because the training stands without it. Raises KitError
    for before_train alone.
    """
    failed = []
    given = {"model": contract.model, "run": journal.run, "hook": name, **env}
    variables = {f"MLOPS_{key.upper()}": value for key, value in given.items()}
    for who, command in sorted(contract.hooks.get(name, {}).items()):
        say(f"Hook {name}: {who}")
        try:
            with journal.stage(f"hook:{name}:{who}"):
                run(words(command), repository.root, **variables)
        except KitError as error:
            if name in STOPS:
                raise KitError(
                    f"The hook {name} of {who} failed, so nothing was trained. {error.what}",
                    error.do or "Mend the hook, or take it out of `hooks:`.",
                ) from error
            say(f"warning: the hook {name} of {who} failed. {error.what}")
            failed.append(who)
    if (
        contract.registry
        and name in MIRRORED
        and not _mirrored(contract, repository, journal, say, variables)
    ):
        failed.append("registry")
    return failed


def _mirrored(
    contract: Contract,
    repository: Repository,
    journal: Journal,
    say: Callable[[str], None],
    env: dict[str, str],
) -> bool:
    """False where the mirror is behind, or differs; the version or the promotion stands."""
    from mlops_kit.registry import mirror

    say("Sync the registry")
    try:
        with journal.stage("registry:sync") as found:
            agrees = mirror.sync(repository, contract, say, **env)
            found |= {} if agrees else {"status": "differs"}
    except KitError as error:
        say(f"warning: {error.what}\n{error.do}")
        return False
    if not agrees:
        say("warning: the registry differs from the versions here; see above.")
    return agrees
