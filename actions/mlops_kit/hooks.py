"""Commands of tiers that run at fixed moments: before_train, after_gate, after_register and so on."""

from collections.abc import Callable

from mlops_kit.contract import Contract, Hook
from mlops_kit.errors import KitError
from mlops_kit.events import Journal
from mlops_kit.processes import run, words
from mlops_kit.repository import Repository

STOPS: tuple[Hook, ...] = ("before_train",)  # what comes after it would build on what it did not do


def run_hooks(
    contract: Contract,
    repository: Repository,
    name: Hook,
    journal: Journal,
    say: Callable[[str], None],
    **env: str,
) -> list[str]:
    """Runs the hooks in the order of their names; `env` reaches them as MLOPS_NAME. Those that failed.

    A hook that fails is an event and a warning, because the training stands without it. Raises KitError
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
                    f"The hook {name} of {who} failed, so nothing was trained. {error.what}"
                ) from error
            say(f"warning: the hook {name} of {who} failed. {error.what}")
            failed.append(who)
    return failed
