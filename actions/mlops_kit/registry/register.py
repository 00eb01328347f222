"""The four entry points of `register`: local, `--hand-over`, `--from` and `--tell`."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.forge import runner
from mlops_kit.new_data import age, deliver, deliver_text
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import Lock
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import transfer
from mlops_kit.registry import approvals, version_commit
from mlops_kit.registry import candidate as candidates
from mlops_kit.registry.announce import announce
from mlops_kit.registry.candidate import Candidate, HandedEvents
from mlops_kit.registry.version_commit import Registered
from mlops_kit.runs import events, log, publish
from mlops_kit.runs.events import Journal
from mlops_kit.runs.handover import EVENTS, Handover
from mlops_kit.training import train
from mlops_kit.versions import draft, gate_results, records
from mlops_kit.versions import version as versions
from mlops_kit.versions.gate_results import Verdict
from mlops_kit.versions.record import Record
from mlops_kit.versions.records import OWN

ADD_REMOTE = (
    "To register the next one: `dvc remote add --default storage URL`, `dvc push`, then commit and push "
    ".dvc/config."
)


def local(repository: Repository, contract: Contract, bump: str, say: Say) -> Registered:
    """Register what was trained and judged on this machine. Raises KitError if it cannot be registered."""
    journal = events.go_on(repository)
    with journal.stage("register") as facts:
        candidate = _gather(repository, contract, journal, say, {})
        done = _finish(repository, contract, candidate, bump, say)
        facts |= {"status": done.outcome, "version": done.version or None}
    if done.outcome == "registered":
        named = {"version": done.version, "tag": done.tag}
        announce(contract, repository, "after_register", journal, say, **named)
    _update_age_alarm(repository, contract, candidate.record if done.version else None, journal, say)
    journal.end()
    return done if done.outcome == "rejected" else replace(done, to_do=_to_do(repository, done))


def _to_do(repository: Repository, done: Registered) -> str:
    """The sentence with the command that makes the workspace clean; empty if it is clean already."""
    changed = [path for path in repository.dirty() if not path.startswith(f"{candidates.FOLDER}/")]
    if not changed:
        return ""
    files = shlex.join(changed)
    commit = f"git add {files} && git commit --message 'Train {done.version}'"
    return f"Part of {done.version} and not committed yet: {', '.join(changed)}. Run `{commit}`."


def announce_registered(repository: Repository, contract: Contract, name: str, say: Say) -> Registered:
    """`--tell`: run the hooks for a version that another job registered. It stands if they fail."""
    versions.fetch(repository, contract.model)
    version = versions.find(repository, contract.model, name)
    about = {"version": version.name, "tag": version.tag}
    failed = announce(contract, repository, "after_register", events.go_on(repository), say, **about)
    if failed:
        runner.annotate(
            "warning", f"{version.tag} stands; of its hooks failed: {', '.join(failed)}. See above."
        )
    says = f"The hooks were told of {version.tag}."
    return Registered("told", version.name, version.tag, version.commit, True, says)


def hand_over(repository: Repository, contract: Contract, say: Say) -> Registered:
    """`--hand-over`: push the data and write the folder, or say why there is nothing to register.

    The events and what the look for new data left are handed over in any case.
    """
    journal = events.go_on(repository)
    files: dict[str, str | bytes] = {}
    if (left := repository.root / deliver.HANDOVER).is_file():
        files[candidates.NEW_DATA] = left.read_bytes()
    try:
        with journal.stage("hand-over") as facts:
            done = _hand_over(repository, contract, files, journal, say)
            facts |= {"status": done.outcome}
    finally:
        files[EVENTS] = journal.file.read_bytes()
        candidates.handover(contract, repository.root / candidates.FOLDER).write(files)
    return done


def _hand_over(
    repository: Repository, contract: Contract, files: dict[str, str | bytes], journal: Journal, say: Say
) -> Registered:
    """Adds the candidate's files."""
    last = train.load(repository)
    if last is None or last.run != journal.run:
        if not any(event["status"] in log.WORST for event in journal.events()):
            journal.emit("run", "crashed", error="it was cut short before it trained")
        return Registered("nothing", says="Nothing to hand over: this run did not train.")
    if not last.registers:
        return Registered("nothing", says=_why_not(last.why_sample))
    pointers = deliver.read_left(repository).pointers
    candidate = _gather(repository, contract, journal, say, pointers)
    files |= candidates.files(contract, candidate)
    says = (
        "Handed over."
        if candidate.verdict.is_open
        else "Not all gates pass. Handed over, to keep the record."
    )
    return Registered("handed over", says=says)


def _why_not(why: str) -> str:
    return f"Nothing registered: {why}." + (f" {ADD_REMOTE}" if why == "no remote" else "")


def receive(repository: Repository, contract: Contract, folder: Path, bump: str, say: Say) -> Registered:
    """`--from`: check what was handed over, bring new data to main, register, and publish the events."""
    handed = candidates.handover(contract, folder)
    fault = None
    try:
        taken = candidates.events(repository, handed)
    except KitError as error:
        taken, fault = HandedEvents(events.new_run_id(), [], 0), error
    journal = Journal(repository, taken.run)
    if taken.left_out:
        left = f"{taken.left_out} events that were handed over are left out: damaged, or not of this training"
        say(left)
        runner.annotate("warning", f"{left}.")
    if taken.events and not journal.file.exists():
        journal.keep(taken.events)
    elif not taken.events:
        why = fault.what if fault else "the training ended without a word"
        journal.emit("run", "crashed", commit=repository.commit(), error=why)
    say(f"Publishing the events of run {journal.run}")
    begun = None
    try:
        with journal.stage("register") as facts:
            begun = publish.begin_publishing(repository, journal)
            if fault:
                raise fault
            done = _receive(repository, contract, handed, bump, journal, say)
            facts |= {"status": done.outcome, "version": done.version or None}
    finally:
        _end(repository, journal, begun, say)
    return done


def _end(repository: Repository, journal: Journal, begun: str | None, say: Say) -> None:
    """A version stands even if the events of its run cannot be published; an alarm tells of that."""
    try:
        publish.end_publishing(repository, journal, begun=begun)
    except KitError as error:
        say(error.what)
        runner.annotate("warning", error.what)


def _receive(
    repository: Repository, contract: Contract, handed: Handover, bump: str, journal: Journal, say: Say
) -> Registered:
    approvals.restore(repository, contract, say)
    say("Checking what was handed over")
    new_data = candidates.new_data(handed)
    for line in deliver.update_alarms(repository, contract, new_data):
        say(line)
    waits = deliver.still_waiting(repository, new_data)
    if waits and (asked := deliver.ask_again(repository)):
        say(asked.says)
    candidate = candidates.read(repository, contract, handed, journal.run)
    if candidate is None:
        _update_age_alarm(repository, contract, None, journal, say)
        return Registered("nothing", says="Nothing was handed over to register.")
    if candidate.pointers:
        say(f"Bringing {', '.join(candidate.pointers)} to main")
        content = {path: text.encode() for path, text in candidate.pointers.items()}
        message = deliver_text.message(new_data)
        say(deliver.deliver(repository, contract, content, message, waits).says)
    (repository.root / contract.metrics).write_bytes(candidate.metrics)
    done = _finish(repository, contract, candidate, bump, say)
    _update_age_alarm(repository, contract, candidate.record if done.version else None, journal, say)
    return done


def _update_age_alarm(
    repository: Repository, contract: Contract, registered: Record | None, journal: Journal, say: Say
) -> None:
    """The age of the newest row that the version in use, or the one `registered` now, was made of."""
    known = [one.newest_row for one in (registered, records.newest(repository, contract.model)) if one]
    if known and (says := age.update_alarm(repository, contract, age.age(contract, known), journal)):
        say(says)
        runner.annotate("notice", says)


def _gather(
    repository: Repository, contract: Contract, journal: Journal, say: Say, pointers: Mapping[str, str]
) -> Candidate:
    """Everything that a version needs, from the workspace, with its data in the remote."""
    last = train.load(repository)
    if last and not last.registers:
        raise KitError(_why_not(last.why_sample), "Train on the data: `mlops-kit train`.")
    _refuse_dirty(repository, contract, pointers)
    lock = train.lock(repository)
    _refuse_stale(repository, contract)
    _refuse_altered(repository, contract, lock)
    verdict = _verdict(repository)
    run_id = last.run if last else journal.run
    before = records.newest(repository, contract.model)
    record = draft.draft(repository, contract, lock, run_id, verdict, before)
    if verdict.is_open:
        _push(repository, contract, say)
    metrics = (repository.root / contract.metrics).read_bytes()
    return Candidate(record, lock, metrics, verdict, dict(pointers))


def _refuse_dirty(repository: Repository, contract: Contract, pointers: Mapping[str, str]) -> None:
    if dirty := repository.dirty(*OWN, contract.metrics, *pointers, f"{candidates.FOLDER}/"):
        dirty = [path for path in dirty if not path.startswith(f"{candidates.FOLDER}/")]
    if dirty:
        shown = ", ".join(dirty[:5]) + (", ..." if len(dirty) > 5 else "")
        raise KitError(
            f"Not committed: {shown}. A version is made from a commit.",
            "Commit, then run `mlops-kit train`, `gate` and `register`.",
        )


def _refuse_stale(repository: Repository, contract: Contract) -> None:
    """Raises KitError unless the model was trained on the committed code, data, parameters and environment."""
    result = train.behind(repository, contract)
    if not result.is_fresh:
        raise KitError(
            "The model was not trained from this commit: " + "; ".join(result.lines) + ".",
            "Run `mlops-kit train`, then `mlops-kit gate`.",
        )


def _refuse_altered(repository: Repository, contract: Contract, lock: Lock) -> None:
    """Raises KitError if a file that the gates judged changed after the training."""
    judged = [contract.metrics, *contract.artifacts]
    judged += [contract.predictions.file] if contract.predictions else []
    md5s = {out.path: out.md5 for path in judged if (out := lock.out(path))}
    if altered := [path for path, md5 in md5s.items() if repository.md5(path) not in (None, md5)]:
        raise KitError(
            f"{', '.join(altered)} changed after the training. The gates judged another result.",
            "Run `mlops-kit train`, then `mlops-kit gate`.",
        )


def _verdict(repository: Repository) -> Verdict:
    verdict = gate_results.load(repository)
    if verdict is None:
        raise KitError("The gates have not judged this model.", "Run `mlops-kit gate`.")
    return verdict


def _push(repository: Repository, contract: Contract, say: Say) -> None:
    """A version whose data nobody else can get must not exist."""
    if repository.remote is None:
        if repository.has_origin:
            raise KitError("Nothing registered: no remote.", ADD_REMOTE)
        return
    say(f"Pushing data and model to {repository.remote.name}")
    transfer(repository, contract.commands.dvc, "push", "--run-cache")


def _finish(
    repository: Repository, contract: Contract, candidate: Candidate, bump: str, say: Say
) -> Registered:
    if not candidate.verdict.is_open:
        return version_commit.reject(repository, candidate.record)
    say("Registering")
    return version_commit.register(repository, contract, candidate, bump)
