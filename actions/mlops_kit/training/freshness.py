"""Which stages a training would run again, from Git and a lock, without DVC and without any download."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from mlops_kit.base.errors import KitError
from mlops_kit.project import commits, pipeline
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK, Entry, Lock, PipelineStage, flatten
from mlops_kit.project.repository import Repository
from mlops_kit.versions import version as versions

NEVER = "never trained: everything will run"


@dataclass(frozen=True)
class Freshness:
    """Which stages a training would run again, and why; no stage and no file of the environment: fresh."""

    against: str  # a version, a commit, or how the lock is called; empty when there is none
    stages: dict[str, list[str]] = field(default_factory=dict)  # name -> causes
    environment: list[str] = field(default_factory=list)  # files that pin what runs and changed
    note: str = ""

    @property
    def never_trained(self) -> bool:
        return not self.against

    @property
    def is_fresh(self) -> bool:
        return not (self.never_trained or self.stages or self.environment)

    @property
    def lines(self) -> list[str]:
        return self.stale or [f"fresh: nothing changed since {self.against}"]

    @property
    def stale(self) -> list[str]:
        """A line for each stage that will run, and for the environment."""
        if self.never_trained:
            return [NEVER]
        messages = [f"will retrain: {name}, because {'; '.join(why)}" for name, why in self.stages.items()]
        if self.environment:
            messages.append(f"will retrain: every stage, because {', '.join(self.environment)} changed")
        return messages


@dataclass(frozen=True)
class Baseline:
    """A lock, what to call it, and the commit whose dvc.yaml, pointers and environment belong to it."""

    name: str
    lock: Lock
    revision: str | None


def baseline(repository: Repository, contract: Contract, against: str = "") -> Baseline | None:
    """The lock to compare with: of a version, of main, or - when none is named - of the newest version.

    Where `lock: committed`, or before the first version, it is the tree's own. None where there is none.
    """
    if against == "main":
        return _of_branch(repository)
    if against:
        return of_version(repository, versions.find(repository, contract.model, against))
    newest = None if contract.lock == "committed" else versions.newest(repository, contract.model)
    return of_version(repository, newest) if newest else of_tree(repository)


def compared(repository: Repository, contract: Contract, against: str = "") -> Freshness:
    """The tree against a lock; versions that only origin knows are fetched first, where it answers."""
    note = ""
    try:
        versions.fetch(repository, contract.model)
    except KitError:
        note = "origin does not answer: compared with the versions of this clone"
    start = baseline(repository, contract, against)
    if start is None:
        return Freshness("", note=note)
    result = of(repository, contract, start.lock, start.revision)
    return Freshness(start.name, result.stages, result.environment, note)


def of(repository: Repository, contract: Contract, lock: Lock, revision: str | None) -> Freshness:
    """The tree against a lock. At `revision` stand the dvc.yaml, pointers and environment it was made with;
    None: in the tree itself, so that only what the lock says is compared."""
    stages: dict[str, list[str]] = {}
    defined = pipeline.DefinitionChanges(repository, revision)
    inputs = _Inputs(repository, lock, revision)
    for name, stage in lock.stages.items():
        parameters = _parameters(repository, stage, defined.whole_files(name))
        if causes := [*defined.causes(name), *inputs.causes(stage), *parameters]:
            stages[name] = causes
    for name in defined.added(lock.stages):
        stages[name] = [f"it is new in {pipeline.FILE}"]
    _downstream(lock, stages)
    in_order = [*lock.stages, *(name for name in stages if name not in lock.stages)]
    stages = {name: stages[name] for name in in_order if name in stages}
    environment = _environment(repository, contract, revision) if revision else []
    return Freshness(revision or LOCK, stages, environment)


def of_version(repository: Repository, version: versions.Version) -> Baseline:
    """A version's own lock."""
    lock = repository.lock(version.commit)
    if lock is None:
        raise KitError(f"{version.tag} holds no {LOCK}.", "Was the tag made by `mlops-kit register`?")
    return Baseline(version.name, lock, version.commit)


def _of_branch(repository: Repository) -> Baseline | None:
    try:
        branch = commits.default_branch(repository)
    except KitError:  # origin does not answer, or no branch is checked out
        branch = "main"
    with suppress(KitError):
        commits.remote_tip(repository, branch)
    tip = commits.tip(repository, f"refs/remotes/origin/{branch}") or commits.tip(
        repository, f"refs/heads/{branch}"
    )
    lock = repository.lock(tip) if tip else None
    return Baseline(f"{branch}'s dvc.lock", lock, _last_change(repository, tip)) if lock and tip else None


def of_tree(repository: Repository) -> Baseline | None:
    """The lock that is here, as committed or as a training left it; None where there is none."""
    lock = repository.lock()
    if lock is None:
        return None
    committed = commits.tip(repository, "HEAD")
    as_committed = committed and repository.show(committed, LOCK) == lock.text
    revision = _last_change(repository, committed) if committed and as_committed else None
    return Baseline("the committed dvc.lock" if revision else "dvc.lock", lock, revision)


def _last_change(repository: Repository, tip: str) -> str:
    """The commit that last changed the lock; in a shallow clone the oldest that is here."""
    return repository.git("log", "-1", "--format=%H", tip, "--", LOCK).strip() or tip


class _Inputs:
    """Dependencies of the lock against the tree."""

    def __init__(self, repository: Repository, lock: Lock, revision: str | None) -> None:
        self.repository, self.lock, self.revision = repository, lock, revision
        self.pointers = repository.pointers()
        self.before = repository.pointers(revision) if revision else self.pointers
        self.md5s: dict[str, str | None] = {}

    def causes(self, stage: PipelineStage) -> list[str]:
        return [says for dep in stage.deps.values() if (says := self._cause(dep))]

    def _cause(self, dep: Entry) -> str:
        if self.lock.out(dep.path):
            return ""  # made by another stage, whose causes count
        if pointer := self.pointers.get(dep.path):
            return "" if pointer.md5 == dep.md5 else _data_change(dep, pointer)
        beside = {**self._beside(dep.path, self.before), **self._beside(dep.path, self.pointers)}
        if beside:
            moved = [path for path in beside if self.before.get(path) != self.pointers.get(path)]
            if not moved and self.revision and not self._same_in_git(dep.path, self.revision):
                moved = [dep.path]
            return f"{', '.join(moved)} changed" if moved else ""
        now = self._md5(dep.path)
        if now is None:
            return "" if _elsewhere(dep.path) else f"{dep.path} is gone"
        return "" if now == dep.md5 else f"{dep.path} changed"

    @staticmethod
    def _beside(path: str, pointers: dict[str, Entry]) -> dict[str, Entry]:
        """Pointers whose data lies in this folder, or whose folder holds this path."""
        return {
            at: entry
            for at, entry in pointers.items()
            if at.startswith(f"{path}/") or path.startswith(f"{at}/")
        }

    def _same_in_git(self, path: str, revision: str) -> bool:
        return self.repository.asks("diff", "--quiet", revision, "--", path)

    def _md5(self, path: str) -> str | None:
        if path not in self.md5s:
            self.md5s[path] = self.repository.md5(path)
        return self.md5s[path]


def _elsewhere(path: str) -> bool:
    """An address, or a file outside: DVC looks at it, we cannot say."""
    return "://" in path or path.startswith(("/", "../"))


def _data_change(was: Entry, now: Entry) -> str:
    def size(entry: Entry) -> str:
        return "" if entry.size is None else f" ({entry.size:,} bytes)"

    return f"{was.path} changed (data): {was.md5[:7]}{size(was)} -> {now.md5[:7]}{size(now)}"


def _parameters(repository: Repository, stage: PipelineStage, whole: set[str]) -> list[str]:
    """`whole`: files whose every key is a parameter, so that a new one counts too."""
    causes = []
    for file, locked in stage.params.items():
        if file.endswith(".py"):
            continue  # Python as parameters: DVC reads it, we would have to run it
        tree = pipeline.parameters(repository.text(file), file)
        if tree is None:
            causes.append(f"{file} is gone")
            continue
        locked = dict(locked or {}) | {
            key: pipeline.ABSENT for key in tree if file in whole and key not in locked
        }
        for key, value in locked.items():
            causes += _differences(value, pipeline.value_at(tree, key), key, file)
    return causes


def _differences(was: Any, now: Any, key: str, file: str) -> list[str]:
    before = {} if was is pipeline.ABSENT else flatten(was, key)
    after = {} if now is pipeline.ABSENT else flatten(now, key)
    return [
        f"{at} {shown(before.get(at, 'absent'))} -> {shown(after.get(at, 'absent'))} ({file})"
        for at in dict.fromkeys([*before, *after])
        if at not in before or at not in after or before[at] != after[at]
    ]


def shown(value: Any) -> str:
    """A value in a sentence: short, and as YAML has it."""
    words = {True: "true", False: "false", None: "null"}
    text = words.get(value, str(value)) if isinstance(value, bool | None) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _environment(repository: Repository, contract: Contract, revision: str) -> list[str]:
    """Files that pin what runs and are not as they were."""
    changed = []
    for path in contract.environment:
        before = repository.show(revision, path)
        now = repository.text(path)
        if (before or "").splitlines() != (now or "").splitlines():  # Git may have changed line ends
            changed.append(path)
    return changed


def _downstream(lock: Lock, stages: dict[str, list[str]]) -> None:
    """Adds the stages that read what a stale one makes."""
    makers = {path: name for name, stage in lock.stages.items() for path in stage.outs}
    grew = True
    while grew:
        grew = False
        for name, stage in lock.stages.items():
            if name not in stages and (says := _upstream(stage.deps, makers, stages)):
                stages[name] = says
                grew = True


def _upstream(deps: Iterable[str], makers: dict[str, str], stale: dict[str, list[str]]) -> list[str]:
    deps_by_maker: dict[str, list[str]] = {}
    for dep in deps:
        for path, maker in makers.items():
            around = dep == path or dep.startswith(f"{path}/") or path.startswith(f"{dep}/")
            if around and maker in stale:
                deps_by_maker.setdefault(maker, []).append(dep)
    return [f"{maker} runs again ({', '.join(paths)})" for maker, paths in deps_by_maker.items()]
