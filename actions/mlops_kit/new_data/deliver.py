"""Deliver new data to main: one commit that changes only .dvc pointers. Runs no code of the project."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from mlops_kit.base import credentials
from mlops_kit.base.documents import parse_yaml
from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import one_line
from mlops_kit.base.sanitize import sanitize
from mlops_kit.base.strict import Exact
from mlops_kit.forge import alarms as github_alarms
from mlops_kit.new_data import deliver_text
from mlops_kit.project import commits
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock_check import LONGEST_HASH, is_md5
from mlops_kit.project.repository import Repository
from mlops_kit.runs.handover import Handover

BRANCH = "mlops/data"
HANDOVER = Path(".mlops/new-data.json")
LONGEST, MOST = 10_000, 100  # characters of a reason; pointers
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


class Look(Exact):
    """The result of a look at one source, as facts. Who posts or commits them writes the text: `deliver_text.py`."""

    pointer: str
    status: Literal["found", "nothing", "refused"]
    says: Annotated[str, Field(max_length=LONGEST)]
    rows_before: Annotated[int, Field(ge=0)] | None = None
    rows_after: Annotated[int, Field(ge=0)] | None = None


class Delivery(Exact):
    """What a look for new data leaves for the job that may write."""

    pointers: Annotated[dict[str, str], Field(max_length=MOST)] = Field(default_factory=dict)  # path -> text
    looks: Annotated[list[Look], Field(max_length=MOST)] = Field(default_factory=list)
    waits: Annotated[list[str], Field(max_length=MOST)] = Field(
        default_factory=list
    )  # pointers on `mlops/data`

    def write(self, root: Path) -> None:
        handover(root / HANDOVER).write({HANDOVER.name: self.text()})


def handover(path: Path) -> Handover:
    """The one file that `watch-data --no-deliver` leaves for `watch-data --handover`."""
    again = "`mlops-kit watch-data --no-deliver` leaves one."
    return Handover(path.parent, (path.name,), "new data that was handed over", again)


def read_delivery(handed: Handover, name: str) -> Delivery:
    """Raises KitError if this is not what `watch-data --no-deliver` writes."""
    return handed.payload(name, Delivery, "a hand-over of new data")


def read_left(repository: Repository) -> Delivery:
    """The delivery that the last look in this clone left; empty if nobody looked."""
    handed = handover(repository.root / HANDOVER)
    return read_delivery(handed, HANDOVER.name) if handed.has(HANDOVER.name) else Delivery()


def update_alarms(repository: Repository, contract: Contract, delivery: Delivery) -> list[str]:
    """Raise the alarms and close those that are over; a line for each with the address of its issue.

    Raises KitError for a pointer that mlops.yaml does not watch.
    """
    refuse_unwatched(contract, [look.pointer for look in delivery.looks])
    alarms = [
        deliver_text.alarm(repository, contract, one) for one in delivery.looks if one.status == "refused"
    ]
    lines = [f"{alarm.title}: {github_alarms.ring(repository, alarm)}" for alarm in alarms]
    for name, comment in deliver_text.cleared(delivery).items():
        if address := github_alarms.clear(repository, name, comment):
            lines.append(f"cleared: {address}")
    return lines


def deliver(
    repository: Repository,
    contract: Contract,
    pointers: Pointers,
    message: str,
    waits: Mapping[str, str] | None = None,
) -> Delivered:
    """Put the pointers onto main, or onto `mlops/data` with a pull request if main is protected.

    Pointers that wait there already (`waits`) stay beside them. A second call does nothing. Raises KitError if a
    file is not a pointer that mlops.yaml watches, or if it changes more than hash and size.
    """
    base = commits.default_branch(repository)
    waiting_pointers = {path: text.encode() for path, text in (waits or {}).items()}
    all_pointers = {**waiting_pointers, **pointers}
    check(repository, contract, all_pointers, base)
    full_message = message + (
        f"\nWith what waited already: {', '.join(waiting_pointers)}\n" if waiting_pointers else ""
    )
    if repository.has_origin and contract.new_data.deliver == "pull-request":
        return _pull_request(repository, base, all_pointers, full_message)
    try:
        return _onto_main(repository, base, pointers, message)
    except commits.PushRefused:
        return _pull_request(repository, base, all_pointers, full_message)


def ask_again(repository: Repository) -> Delivered | None:
    """Open the pull request for `mlops/data` that could not be opened when data was put there.

    None if the branch has or had one, or if there is no token.
    """
    tip = commits.remote_tip(repository, BRANCH)
    if tip is None or not credentials.token():
        return None
    message = repository.git("log", "-1", "--format=%B", tip)
    url = _ask_for_pull(repository, commits.default_branch(repository), message, unless_for=tip)
    return Delivered(tip, "pull-request", url) if url else None


def waiting(repository: Repository) -> dict[str, str]:
    """Pointers on `mlops/data` that main does not have yet, by path."""
    if not repository.has_origin:
        return {}
    tip = commits.remote_tip(repository, BRANCH)
    main = commits.remote_tip(repository, commits.default_branch(repository))
    paths = [path for path in repository.tracked(tip) if path.endswith(".dvc")] if tip and main else []
    texts = {path: repository.show(tip or "", path) or "" for path in paths}
    return {path: text for path, text in texts.items() if text != repository.show(main or "", path)}


def still_waiting(repository: Repository, delivery: Delivery) -> dict[str, str]:
    """Pointers that the look found on `mlops/data`, with their text there now."""
    here = waiting(repository) if delivery.waits else {}
    return {path: text for path, text in here.items() if path in delivery.waits}


def refuse_unwatched(contract: Contract, pointers: Iterable[str]) -> None:
    """Raises KitError for a pointer that mlops.yaml does not watch."""
    watched = {watch.pointer for watch in contract.new_data.watch}
    if unknown := [path for path in pointers if path not in watched]:
        raise KitError(
            f"{one_line(unknown[0])} is not a pointer that mlops.yaml watches.", "Name it in new_data.watch."
        )


def check(repository: Repository, contract: Contract, pointers: Pointers, base: str) -> None:
    """Raises KitError for a file that is not a watched pointer, or changes more than hash and size."""
    check_against(repository, contract, pointers, commits.remote_tip(repository, base), base)


def check_against(
    repository: Repository, contract: Contract, pointers: Pointers, tip: str | None, name: str
) -> None:
    """As `check`, against the pointers of the commit `tip`, which errors call `name`."""
    refuse_unwatched(contract, pointers)
    for path, content in pointers.items():
        text = content.decode(errors="replace")
        if not all(_is_hash(key, value) for key, value in _hashes_of(text, path)):
            raise KitError(
                f"{path} names no hash as DVC writes it: not delivered.", "Look for new data again."
            )
        before = repository.show(tip, path) if tip else None
        if before is not None and _apart_from_hashes(before, path) != _apart_from_hashes(text, path):
            raise KitError(
                f"{path} differs from {name}'s in more than its hash and size: not delivered.",
                f"Commit the change of {path} by a pull request; new data is found again after it.",
            )


def _hashes_of(text: str, path: str) -> list[tuple[str, Any]]:
    """What a pointer says of its outputs and dependencies, without what stays the same."""
    content = parse_yaml(text, path)
    entries = [one for kind in ("outs", "deps") for one in content.get(kind) or [] if isinstance(one, dict)]
    return [(key, value) for one in [content, *entries] for key, value in one.items() if key in HASHES]


def _is_hash(key: str, value: Any) -> bool:
    if key in ("size", "nfiles"):
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not isinstance(value, str) or len(value) > LONGEST_HASH or not value.isprintable():
        return False
    return key != "md5" or is_md5(value)


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
    results: list[Delivered] = []

    def once() -> None:
        tip = commits.remote_tip(repository, base)
        if tip and _same(repository, tip, pointers):
            results.append(Delivered(tip, "nothing"))
            _advance_to_delivered(repository, base, tip, pointers)
            return
        commit = commits.commit(repository, tip, pointers, message)
        if repository.has_origin:
            commits.push(repository, f"{commit}:refs/heads/{base}")
            repository.git("update-ref", f"refs/remotes/origin/{base}", commit)
        results.append(Delivered(commit, "push" if repository.has_origin else "local"))
        _advance(repository, base, tip, commit, pointers)

    commits.retry(once)
    return results[-1]


def _advance(repository: Repository, base: str, tip: str | None, commit: str, pointers: Pointers) -> None:
    """Move this clone to the new commit if it stood on the one before: its files are the same already."""
    head = commits.tip(repository, "HEAD")
    on = repository.git("rev-parse", "--abbrev-ref", "HEAD").strip()
    if tip and head == tip and on in (base, "HEAD"):
        repository.git("update-ref", "-m", "mlops-kit: new data", "HEAD", commit, tip)
        repository.git("reset", "--quiet", "--", *pointers)


def _advance_to_delivered(repository: Repository, base: str, tip: str, pointers: Pointers) -> None:
    """Move this clone to main's tip if only these pointers differ: a command was killed after it had pushed them."""
    head = commits.tip(repository, "HEAD")
    if head and head != tip and repository.asks("merge-base", "--is-ancestor", head, tip):
        changed = repository.git("diff", "--name-only", "-z", head, tip).split("\0")
        if set(changed) - {""} <= set(pointers):
            _advance(repository, base, head, tip, pointers)


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
    """True if the branch is one commit on top of main that changes only these pointers."""
    parents = repository.git("rev-list", "--parents", "-1", commit).split()[1:]
    changed = set(repository.git("diff", "--name-only", f"{tip}", commit).splitlines())
    return parents == [tip] and changed == set(pointers) and _same(repository, commit, pointers)


def _same(repository: Repository, commit: str, pointers: Pointers) -> bool:
    return all(
        (repository.show(commit, path) or "").encode() == content for path, content in pointers.items()
    )


def _ask_for_pull(repository: Repository, base: str, message: str, unless_for: str = "") -> str:
    """The address of the pull request; empty if the commit has had one.

    Raises KitError naming the branch if GitHub cannot be asked: the data is not lost.
    """
    from mlops_kit.forge import github

    title, _, text = message.partition("\n")
    # Whoever may push may have written the branch's commit.
    title, text = one_line(title), sanitize(text).replace("-&gt;", "->")
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
