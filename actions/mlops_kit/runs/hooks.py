"""Run the commands that tiers registered for a moment: before_train, after_gate, after_register and so on."""

from collections.abc import Mapping

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run, words
from mlops_kit.base.progress import Say
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Hook
from mlops_kit.runs.events import Journal

STOPS: tuple[Hook, ...] = ("before_train",)  # what comes after it would build on what it did not do


def run_hooks(
    contract: Contract, repository: Repository, name: Hook, journal: Journal, say: Say, **env: str
) -> list[str]:
    """Run the hooks in the order of their names; `env` reaches them as MLOPS_NAME. Returns the names of those that failed.

    A hook that fails is an event and a warning, because the training stands without it. Raises KitError for
    before_train alone.
    """
    failed = []
    environment = variables(contract, journal, name, env)
    for hook, command in sorted(contract.hooks.get(name, {}).items()):
        say(f"Hook {name}: {hook}")
        try:
            with journal.stage(f"hook:{name}:{hook}"):
                run(words(command), repository.root, **environment)
        except KitError as error:
            if name in STOPS:
                raise KitError(
                    f"The hook {name} of {hook} failed, so nothing was trained. {error.what}",
                    error.do or "Mend the hook, or take it out of `hooks:`.",
                ) from error
            say(f"warning: the hook {name} of {hook} failed. {error.what}")
            failed.append(hook)
    return failed


def variables(contract: Contract, journal: Journal, name: Hook, env: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that a hook gets: MLOPS_MODEL, MLOPS_RUN, MLOPS_HOOK and those of `env`."""
    values = {"model": contract.model, "run": journal.run, "hook": name, **env}
    return {f"MLOPS_{key.upper()}": value for key, value in values.items()}
