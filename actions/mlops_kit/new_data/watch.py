"""Look for new data: check every watch of mlops.yaml, write events, and deliver what was found."""

import shutil
from collections.abc import Callable
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.data.storage import DataRefused
from mlops_kit.new_data import deliver, deliver_text, import_url, landing, undo
from mlops_kit.new_data.deliver import Delivery, Look
from mlops_kit.new_data.result import STAGE, LookResult, NotYet, WatchResult
from mlops_kit.new_data.source import NothingNew, OnBranch, Source
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events

Agree = Callable[[LookResult], bool]


def look(repository: Repository, contract: Contract, say: Say, *, dry: bool = False) -> LookResult:
    """Check every watch. Pointers that were found are changed in the workspace and not committed.

    Raises KitError if something other than the data is wrong; the workspace is then as it was.
    """
    _refuse_changed_pointers(repository, contract)
    waiting = deliver.waiting(repository) if contract.new_data.watch else {}
    outcomes = []
    try:
        for watch in contract.new_data.watch:
            say(f"look at {watch.folder or watch.pointer}")
            outcomes.append(_look_at(Source(repository, contract, watch, waiting.get(watch.pointer), dry)))
    except BaseException:
        undo.recover(repository)
        raise
    new_results = [one for one in outcomes if one.status == "found"]
    pointers = {} if dry else {one.pointer: repository.text(one.pointer) or "" for one in new_results}
    still_waiting = {one.pointer: waiting[one.pointer] for one in outcomes if one.on_branch}
    return LookResult(bool(new_results), outcomes, pointers, waits=still_waiting)


def look_and_leave(repository: Repository, contract: Contract, say: Say) -> LookResult:
    """Leave the pointers in the workspace, and what needs a token in `.mlops/new-data.json`."""
    result = _look_and_record(repository, contract, say)
    delivery(result).write(repository.root)
    undo.settle(repository)
    return result


def look_and_deliver(repository: Repository, contract: Contract, say: Say, agree: Agree) -> LookResult:
    """Also bring what was found to main, if `agree` says so, and raise or close alarms."""
    result = _look_and_record(repository, contract, say)
    left = delivery(result)
    left.write(repository.root)
    try:
        if result.found and not agree(result):
            alarms = deliver.update_alarms(repository, contract, left)
            return LookResult(result.found, result.outcomes, result.pointers, None, alarms)
        return _deliver(repository, contract, left, result)
    finally:
        undo.settle(repository)  # what was not delivered waits in the hand-over


def deliver_handover(repository: Repository, contract: Contract, path: Path) -> LookResult:
    """Deliver what `look_and_leave` left, perhaps on another machine. Runs no code of the project."""
    left = deliver.read_delivery(deliver.handover(path), path.name)
    waits = deliver.still_waiting(repository, left)
    return _deliver(
        repository, contract, left, LookResult(bool(left.pointers), [], left.pointers, waits=waits)
    )


def delivery(result: LookResult) -> Delivery:
    """What was found or refused, as facts for the job that may write."""
    looks = [
        Look(
            pointer=one.pointer,
            status=one.status,
            says=one.says[: deliver.LONGEST],
            rows_before=one.rows_before,
            rows_after=one.rows_after,
        )
        for one in result.outcomes
        if one.status != "waits"
    ]
    return Delivery(pointers=result.pointers, looks=looks, waits=list(result.waits))


def _deliver(repository: Repository, contract: Contract, left: Delivery, result: LookResult) -> LookResult:
    """Deliver the pointers and update the alarms; returns the result with what became of them."""
    alarms = deliver.update_alarms(repository, contract, left)
    pointers = {path: text.encode() for path, text in left.pointers.items()}
    message = deliver_text.message(left)
    done = deliver.deliver(repository, contract, pointers, message, result.waits) if pointers else None
    if result.waits and not pointers:
        done = deliver.ask_again(repository)
    return LookResult(result.found, result.outcomes, result.pointers, done, alarms)


def _refuse_changed_pointers(repository: Repository, contract: Contract) -> None:
    watched = {watch.pointer for watch in contract.new_data.watch}
    if changed := sorted(watched & set(repository.dirty())):
        raise KitError(
            f"{', '.join(changed)} has changes that are not committed.",
            f"Deliver them: `mlops-kit watch-data --handover {deliver.HANDOVER}`; or `git restore` them.",
        )


def _look_and_record(repository: Repository, contract: Contract, say: Say) -> LookResult:
    journal = events.begin(repository)
    with journal.stage(STAGE) as facts:
        result = look(repository, contract, say)
        for outcome in result.outcomes:
            journal.emit(
                *(STAGE, outcome.status),
                pointer=outcome.pointer,
                source=outcome.source,
                says=outcome.says,
                rows_before=outcome.rows_before,
                rows_after=outcome.rows_after,
            )
        facts |= {"found": result.found, "status": "refused" if result.refused else "end"}
    return result


def _look_at(source: Source) -> WatchResult:
    pointer, was = source.watch.pointer, source.entry
    name = source.name
    try:
        if source.watch.folder:
            return landing.take(source)
        return import_url.dry_run(source) if source.dry else import_url.take(source)
    except NothingNew as nothing:
        waits = isinstance(nothing, OnBranch)
        return WatchResult(pointer, name, "nothing", str(nothing), was.path, was.md5, on_branch=waits)
    except NotYet as error:
        return WatchResult(pointer, name, "waits", error.what, was.path, was.md5)
    except DataRefused as error:
        return WatchResult(pointer, name, "refused", error.what, was.path, was.md5)
    finally:
        shutil.rmtree(source.repository.root / landing.INCOMING, ignore_errors=True)


def in_words(result: LookResult) -> str:
    counted = [(one, deliver_text.row_counts(one.rows_before, one.rows_after)) for one in result.outcomes]
    lines = [f"{one.line}{rows}" for one, rows in counted] or (
        [] if result.delivered else ["Nothing is watched: mlops.yaml has no new_data.watch."]
    )
    if result.delivered:
        lines.append(result.delivered.says)
    elif result.pointers:
        lines.append(f"Not delivered: {', '.join(result.pointers)} changed here; see {deliver.HANDOVER}.")
    return "\n".join(lines)
