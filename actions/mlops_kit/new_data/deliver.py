"""New data reaches main as one commit that changes only .dvc pointers. Runs no code of the project."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from mlops_kit.base import credentials
from mlops_kit.base.documents import parse_yaml
from mlops_kit.base.errors import KitError
from mlops_kit.forge import alarms as alarms_module
from mlops_kit.forge.alarms import Alarm
from mlops_kit.project import commits
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository

BRANCH = "mlops/data"
HANDOVER = Path(".mlops/new-data.json")
HASHES = {"md5", "size", "nfiles", "etag", "checksum", "hash", "version_id", "rev_lock"}
Pointers = Mapping[str, bytes]


@dataclass(frozen=True)
class Delivered:
    commit: str
    how: Literal["push", "pull-request", "local", "nothing"]
    url: str = ""

    @property
    def says(self) -> str:
        return {
            "push": f"main has it, with commit {self.commit[:7]}",
            "pull-request": f"{self.url or f'the branch {BRANCH}'} brings it to main",
            "local": f"there is no origin: committed here, as {self.commit[:7]}",
            "nothing": "main has it already",
        }[self.how]


@dataclass(frozen=True)
class Handover:
    """What the job that may write gets from the one that ran the project's code."""

    pointers: dict[str, str] = field(default_factory=dict)
    message: str = ""
    alarms: list[Alarm] = field(default_factory=list)
    cleared: dict[str, str] = field(default_factory=dict)  # name of an alarm -> why it is over
    waits: dict[str, str] = field(default_factory=dict)  # pointers on `mlops/data` since an earlier look

    def write(self, root: Path) -> None:
        path = root / HANDOVER
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_handover(path: Path) -> Handover:
    """Raises KitError when this is not what `watch-data --no-deliver` writes."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        alarms = [Alarm(**one) for one in content.pop("alarms", [])]
        return Handover(**content, alarms=alarms)
    except (OSError, ValueError, TypeError) as error:
        raise KitError(
            f"{path} is not a hand-over of new data: {error}.",
            "`mlops-kit watch-data --no-deliver` leaves one.",
        ) from error


def tell(repository: Repository, handed: Handover) -> list[str]:
    """Raises the alarms, closes those that are over, and says where each stands."""
    told = [f"{alarm.title}: {alarms_module.ring(repository, alarm)}" for alarm in handed.alarms]
    for name, why in handed.cleared.items():
        if was := alarms_module.clear(repository, name, f"It is over: {why}."):
            told.append(f"cleared: {was}")
    return told


def deliver(
    repository: Repository,
    contract: Contract,
    pointers: Pointers,
    message: str,
    waits: Mapping[str, str] | None = None,
) -> Delivered:
    """Puts the pointers onto main, or onto `mlops/data` with a pull request where main is protected.

    What `waits` there already stays beside them. Doing it again does nothing. Raises KitError when a file is no pointer that mlops.yaml watches, or
    when it changes more than which data is meant.
    """
    base = branch_name(repository)
    beside = {path: text.encode() for path, text in (waits or {}).items()}
    both = {**beside, **pointers}
    check(repository, contract, both, base)
    of_both = message + (f"\nWith what waited already: {', '.join(beside)}\n" if beside else "")
    if repository.has_origin and contract.new_data.deliver == "pull-request":
        return _pull_request(repository, base, both, of_both)
    try:
        return _onto_main(repository, base, pointers, message)
    except commits.PushRefused:
        return _pull_request(repository, base, both, of_both)


def ask_again(repository: Repository) -> Delivered | None:
    """For what waits on `mlops/data`: a pull request, where none could be opened when it was put there.

    None where there is or was one, which somebody closed, or no token to ask with.
    """
    tip = commits.remote_tip(repository, BRANCH)
    if tip is None or not credentials.token():
        return None
    message = repository.git("log", "-1", "--format=%B", tip)
    url = _ask_for_pull(repository, branch_name(repository), message, unless_for=tip)
    return Delivered(tip, "pull-request", url) if url else None


def waiting(repository: Repository) -> dict[str, str]:
    """Pointers on `mlops/data` that main does not have yet, by path."""
    if not repository.has_origin:
        return {}
    tip = commits.remote_tip(repository, BRANCH)
    main = commits.remote_tip(repository, branch_name(repository))
    paths = [path for path in repository.tracked(tip) if path.endswith(".dvc")] if tip and main else []
    found = {path: repository.show(tip or "", path) or "" for path in paths}
    return {path: text for path, text in found.items() if text != repository.show(main or "", path)}


def branch_name(repository: Repository) -> str:
    """What origin calls its main branch; without origin the one that is checked out."""
    if not repository.has_origin:
        return repository.git("symbolic-ref", "--short", "HEAD").strip()
    said = repository.git("ls-remote", "--symref", "origin", "HEAD", **credentials.access())
    first = said.partition("\n")[0].split()
    return first[1].removeprefix("refs/heads/") if first[:1] == ["ref:"] else "main"


def check(repository: Repository, contract: Contract, pointers: Pointers, base: str) -> None:
    """A hand-over may say that the data is other data, and nothing else."""
    watched = {watch.pointer for watch in contract.new_data.watch}
    tip = commits.remote_tip(repository, base)
    for path, content in pointers.items():
        if path not in watched:
            raise KitError(f"{path} is not a pointer that mlops.yaml watches.", "Name it in new_data.watch.")
        before = repository.show(tip, path) if tip else None
        if before is not None and _apart_from_hashes(before, path) != _apart_from_hashes(
            content.decode(errors="replace"), path
        ):
            raise KitError(
                f"{path} differs from {base}'s in more than its hash and size: not delivered.",
                f"Commit the change of {path} by a pull request; new data is found again after it.",
            )


def _apart_from_hashes(text: str, path: str) -> Any:
    content = parse_yaml(text, path)
    content.pop("md5", None)
    for kind in ("outs", "deps"):
        content[kind] = [
            {key: value for key, value in one.items() if key not in HASHES}
            for one in content.get(kind) or []
            if isinstance(one, dict)
        ]
    return content


def _onto_main(repository: Repository, base: str, pointers: Pointers, message: str) -> Delivered:
    made: list[Delivered] = []

    def once() -> None:
        tip = commits.remote_tip(repository, base)
        if tip and _same(repository, tip, pointers):
            made.append(Delivered(tip, "nothing"))
            return
        commit = commits.commit(repository, tip, pointers, message)
        if repository.has_origin:
            commits.push(repository, f"{commit}:refs/heads/{base}")
            repository.git("update-ref", f"refs/remotes/origin/{base}", commit)
        made.append(Delivered(commit, "push" if repository.has_origin else "local"))
        _advance(repository, base, tip, commit, pointers)

    commits.retry(once)
    return made[-1]


def _advance(repository: Repository, base: str, tip: str | None, commit: str, pointers: Pointers) -> None:
    """Takes this clone along where it stood on the commit before: the files are the same already."""
    head = commits.tip(repository, "HEAD")
    on = repository.git("rev-parse", "--abbrev-ref", "HEAD").strip()
    if tip and head == tip and on in (base, "HEAD"):
        repository.git("update-ref", "-m", "mlops-kit: new data", "HEAD", commit, tip)
        repository.git("reset", "--quiet", "--", *pointers)


def _pull_request(repository: Repository, base: str, pointers: Pointers, message: str) -> Delivered:
    tip = commits.remote_tip(repository, base)
    if tip and _same(repository, tip, pointers):
        return Delivered(tip, "nothing")
    commit = commits.remote_tip(repository, BRANCH)
    if commit is None or not _is_that(repository, commit, tip, pointers):
        commit = commits.commit(repository, tip, pointers, message)
        commits.push(repository, f"+{commit}:refs/heads/{BRANCH}")
    return Delivered(commit, "pull-request", _ask_for_pull(repository, base, message))


def _is_that(repository: Repository, commit: str, tip: str | None, pointers: Pointers) -> bool:
    """Is the branch one commit on top of main that holds just these pointers?"""
    parents = repository.git("rev-list", "--parents", "-1", commit).split()[1:]
    changed = set(repository.git("diff", "--name-only", f"{tip}", commit).splitlines())
    return parents == [tip] and changed == set(pointers) and _same(repository, commit, pointers)


def _same(repository: Repository, commit: str, pointers: Pointers) -> bool:
    return all(
        (repository.show(commit, path) or "").encode() == content for path, content in pointers.items()
    )


def _ask_for_pull(repository: Repository, base: str, message: str, unless_for: str = "") -> str:
    """Its address; empty where the commit has had one. Raises KitError that names the branch when GitHub cannot be asked: the data is not lost."""
    from mlops_kit.forge import github

    title, _, text = message.partition("\n")
    try:
        hub = github.connect(repository)
        if unless_for and hub.had_pull_request(BRANCH, unless_for):
            return ""
        return hub.pull_request_in_place(BRANCH, base, title, text.strip() or title).url
    except KitError as error:
        raise KitError(
            f"New data stands on the branch {BRANCH}, but no pull request: {error.what}",
            error.do or f"Open one from {BRANCH} to {base}.",
        ) from error
