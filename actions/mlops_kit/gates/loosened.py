"""Gates that were loosened in the same change: flagged for whoever reviews it, not refused."""

from typing import Any

from mlops_kit.base import github_env
from mlops_kit.base.errors import KitError
from mlops_kit.project import snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Gate
from mlops_kit.versions import version

# How each number of a gate must move to let more pass: down, up, or either way.
DOWN, UP, EITHER = "down", "up", "either"
LOOSER = {
    "threshold": {
        "metric": EITHER,
        "at_least": DOWN,
        "at_most": UP,
        "margin": DOWN,
        "interval": DOWN,
        "min_rows": DOWN,
    },
    # More rows leave slices out, fewer make two slices of noise enough to be judged.
    "slices": {"of": EITHER, "metric": EITHER, "gap_at_most": UP, "min_rows": EITHER},
    "latency": {"p95_seconds_at_most": UP, "rows": DOWN, "calls": DOWN},
    "size": {"mb_at_most": UP},
    "champion": {
        "metric": EITHER,
        "worse_by_at_most": UP,
        "stage": EITHER,
        "confidence": DOWN,
        "min_rows": DOWN,
    },
}
# What a gate judges by, beside its own numbers.
JUDGED_BY = {
    "threshold": ("metrics",),
    "slices": ("metrics",),
    "latency": ("commands.predict", "rows.test"),
    "size": ("artifacts",),
    "champion": ("predictions.file", "predictions.positive", "rows.test", "rows.train", "rows.key"),
}


def before(repository: Repository, contract: Contract) -> tuple[str, Contract] | None:
    """The contract that this change started from, and where it stands; None where there is no such thing.

    On a pull request that of the branch it goes to, else of the newest version, else of main at origin.
    Raises KitError when it cannot be read.
    """
    newest = version.newest(repository, contract.model)
    target = github_env.base_branch()
    branched = _merge_base(repository, target or "main")
    revision = branched if target and branched else newest.tag if newest else branched
    if revision is None:
        return None
    name = newest.name if newest and revision == newest.tag else f"origin/{target or 'main'}"
    return name, snapshot.contract_at(repository, revision)


def _merge_base(repository: Repository, branch: str) -> str | None:
    try:
        return repository.git("merge-base", "HEAD", f"refs/remotes/origin/{branch}").strip()
    except KitError:  # no such branch here, or a clone too shallow to know
        return None


def loosened(name: str, now: Contract, then: Contract) -> str:
    """What makes it easier to pass than it was, in words; empty when nothing does."""
    gate, was = now.gates[name], then.gates.get(name)
    if was is None:
        return ""
    if gate.kind != was.kind:
        return f"kind {was.kind} -> {gate.kind}"
    said = [
        f"{key} {_words(old)} -> {_words(new)}"
        for key, direction in LOOSER[gate.kind].items()
        if _is_looser(old := getattr(was, key), new := getattr(gate, key), direction)
    ]
    said += [
        f"{path} {_words(old)} -> {_words(new)}"
        for path in JUDGED_BY[gate.kind]
        if (old := _at(then, path)) is not None and old != (new := _at(now, path))
    ]
    return ", ".join(said)


def removed(now: Contract, then: Contract) -> dict[str, Gate]:
    return {name: gate for name, gate in then.gates.items() if name not in now.gates}


def _is_looser(old: Any, new: Any, direction: str) -> bool:
    if old == new:
        return False
    if direction == EITHER or not isinstance(old, int | float) or not isinstance(new, int | float):
        return True  # another metric as the bound, or none: nobody can say without looking
    return new < old if direction == DOWN else new > old


def _at(contract: Contract, path: str) -> Any:
    found: Any = contract
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
