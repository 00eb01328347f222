"""Find gates that this change loosened. They are flagged for the reviewer, not refused."""

from typing import Any

from mlops_kit.base import github_env
from mlops_kit.base.errors import KitError
from mlops_kit.project import snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Gate, Loosens
from mlops_kit.versions import version


def before(repository: Repository, contract: Contract) -> tuple[str, Contract] | None:
    """Return the contract that this change started from, and its name; None if there is none.

    On a pull request it is that of the target branch, else that of the newest version, else that of main at
    origin. Raises KitError if it cannot be read.
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


def changes(name: str, now: Contract, then: Contract) -> str:
    """Return what makes the gate easier to pass than before, in words; empty if nothing does."""
    gate, earlier = now.gates[name], then.gates.get(name)
    if earlier is None:
        return ""
    if gate.kind != earlier.kind:
        return f"kind {earlier.kind} -> {gate.kind}"
    changed = [
        (key, old, new)
        for key, loosens in _directions(gate)
        if _is_looser(old := getattr(earlier, key), new := getattr(gate, key), loosens)
    ]
    changed += [
        (path, old, new)
        for path in gate.judged_by
        if (old := _at(then, path)) is not None and old != (new := _at(now, path))
    ]
    return ", ".join(f"{key} {_words(old)} -> {_words(new)}" for key, old, new in changed)


def removed(now: Contract, then: Contract) -> dict[str, Gate]:
    return {name: gate for name, gate in then.gates.items() if name not in now.gates}


def _directions(gate: Gate) -> list[tuple[str, Loosens]]:
    """The fields of the gate's kind whose annotation says how they loosen it."""
    fields = type(gate).model_fields.items()
    return [(key, one) for key, field in fields for one in field.metadata if isinstance(one, Loosens)]


def _is_looser(old: Any, new: Any, loosens: Loosens) -> bool:
    if old == new:
        return False
    if loosens.direction == "either" or not isinstance(old, int | float) or not isinstance(new, int | float):
        return True  # another metric as the bound, or none: only a person can tell
    return new < old if loosens.direction == "down" else new > old


def _at(contract: Contract, path: str) -> Any:
    value: Any = contract
    for part in path.split("."):
        value = getattr(value, part, None)
    return value


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
