"""The ways to a version: all of it here, or handed from the job that trains to the job that may write, and told by a third."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.forge import runner
from mlops_kit.new_data import age, deliver
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK, Lock
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import transfer
from mlops_kit.registry import handed_record, version_commit
from mlops_kit.registry.announce import announce
from mlops_kit.registry.handed_record import Handover
from mlops_kit.registry.version_commit import Registered
from mlops_kit.runs import events, log, publish
from mlops_kit.runs.events import Journal
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


def here(repository: Repository, contract: Contract, bump: str, say: Say) -> Registered:
    """Everything on this machine. Raises KitError when it cannot be; then nothing is registered."""
    journal = events.go_on(repository)
    with journal.stage("register") as found:
        handed = _gather(repository, contract, journal, say, {})
        done = _finish(repository, contract, handed, bump, say)
        found |= {"status": done.outcome, "version": done.version or None}
    if done.outcome == "registered":
        named = {"version": done.version, "tag": done.tag}
        announce(contract, repository, "after_register", journal, say, **named)
        if LOCK in repository.dirty():
            say(f"{LOCK} here is that of {done.tag}: commit it, or `git restore {LOCK}`")
    _tell_age(repository, contract, handed.made if done.version else None, journal, say)
    journal.end()
    return done


def tell(repository: Repository, contract: Contract, name: str, say: Say) -> Registered:
    """Only the hooks, for a version that another job registered: it stands, whatever becomes of them."""
    versions.fetch(repository, contract.model)
    version = versions.find(repository, contract.model, name)
    told = {"version": version.name, "tag": version.tag}
    failed = announce(contract, repository, "after_register", events.go_on(repository), say, **told)
    if failed:
        runner.annotate(
            "warning", f"{version.tag} stands; of its hooks failed: {', '.join(failed)}. See above."
        )
    says = f"The hooks were told of {version.tag}."
    return Registered("told", version.name, version.tag, version.commit, True, says)


def hand_over(repository: Repository, contract: Contract, say: Say) -> Registered:
    """Pushes the data and writes the folder; where there is nothing to register, it says why."""
    journal = events.go_on(repository)
    folder = repository.root / handed_record.FOLDER
    folder.mkdir(exist_ok=True)
    if (found := repository.root / deliver.HANDOVER).is_file():
        shutil.copy(found, folder / handed_record.NEW_DATA)
    try:
        with journal.stage("hand-over") as facts:
            done = _hand_over(repository, contract, folder, journal, say)
            facts |= {"status": done.outcome}
    finally:
        (folder / handed_record.EVENTS).write_bytes(journal.file.read_bytes())
    return done


def _hand_over(
    repository: Repository, contract: Contract, folder: Path, journal: Journal, say: Say
) -> Registered:
    last = train.load(repository)
    if last is None or last.run != journal.run:
        if not any(event["status"] in log.WORST for event in journal.events()):
            journal.emit("run", "crashed", error="it was cut short before it trained")
        return Registered("nothing", says="Nothing to hand over: this run did not train.")
    if not last.registers:
        return Registered("nothing", says=_why_not(last.why_sample))
    pointers = handed_record.new_data(folder).pointers
    handed = _gather(repository, contract, journal, say, pointers)
    handed_record.write(repository, contract, folder, handed)
    says = "Handed over." if handed.verdict.is_open else "The gates are closed; handed over for the record."
    return Registered("handed over", says=says)


def _why_not(why: str) -> str:
    return f"Nothing registered: {why}." + (f" {ADD_REMOTE}" if why == "no remote" else "")


def take_over(repository: Repository, contract: Contract, folder: Path, bump: str, say: Say) -> Registered:
    """The other end: checks what was handed over, brings new data to main, registers, publishes events."""
    journal = Journal(repository, events.new_run_id())
    if lines := handed_record.events(folder):
        journal.file.parent.mkdir(parents=True, exist_ok=True)
        journal.file.write_text(lines, encoding="utf-8", newline="\n")
    else:
        journal.emit("run", "crashed", commit=repository.commit(), error="the training ended without a word")
    say(f"Publishing the events of run {journal.run}")
    begun = None
    try:
        with journal.stage("register") as found:
            begun = publish.begin_publishing(repository, journal)
            done = _take_over(repository, contract, folder, bump, journal, say)
            found |= {"status": done.outcome, "version": done.version or None}
    finally:
        _end(repository, journal, begun, say)
    return done


def _end(repository: Repository, journal: Journal, begun: str | None, say: Say) -> None:
    """What was registered stands, also where nobody else hears of its run; for that there is an alarm."""
    try:
        publish.end_publishing(repository, journal, begun=begun)
    except KitError as error:
        say(error.what)
        runner.annotate("warning", error.what)


def _take_over(
    repository: Repository, contract: Contract, folder: Path, bump: str, journal: Journal, say: Say
) -> Registered:
    say("Checking what was handed over")
    found = handed_record.new_data(folder)
    for told in deliver.tell(repository, found):
        say(told)
    if found.waits and (asked := deliver.ask_again(repository)):
        say(asked.says)
    handed = handed_record.read(repository, contract, folder)
    if handed is None:
        _tell_age(repository, contract, None, journal, say)
        return Registered("nothing", says="Nothing was handed over to register.")
    if handed.pointers:
        say(f"Bringing {', '.join(handed.pointers)} to main")
        content = {path: text.encode() for path, text in handed.pointers.items()}
        message = found.message or "Take new data"
        say(deliver.deliver(repository, contract, content, message, found.waits).says)
    (repository.root / contract.metrics).write_bytes(handed.metrics)
    done = _finish(repository, contract, handed, bump, say)
    _tell_age(repository, contract, handed.made if done.version else None, journal, say)
    return done


def _tell_age(
    repository: Repository, contract: Contract, made: Record | None, journal: Journal, say: Say
) -> None:
    """Of the rows of the model in use: the one made now, where it is a version, and the newest one."""
    newest = records.newest(repository, contract.model)
    known = [one.newest_row for one in (made, newest) if one]
    if known and (told := age.tell(repository, contract, age.age(contract, known), journal)):
        say(told)
        runner.annotate("notice", told)


def _gather(
    repository: Repository, contract: Contract, journal: Journal, say: Say, pointers: Mapping[str, str]
) -> Handover:
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
    made = draft.draft(repository, contract, lock, run_id, verdict, before)
    if verdict.is_open:
        _push(repository, contract, say)
    metrics = (repository.root / contract.metrics).read_bytes()
    return Handover(made, lock, metrics, verdict, dict(pointers))


def _refuse_dirty(repository: Repository, contract: Contract, pointers: Mapping[str, str]) -> None:
    if dirty := repository.dirty(*OWN, contract.metrics, *pointers, f"{handed_record.FOLDER}/"):
        dirty = [path for path in dirty if not path.startswith(f"{handed_record.FOLDER}/")]
    if dirty:
        shown = ", ".join(dirty[:5]) + (", ..." if len(dirty) > 5 else "")
        raise KitError(
            f"Not committed: {shown}. A version must say which code made it.", "Commit, train and gate again."
        )


def _refuse_stale(repository: Repository, contract: Contract) -> None:
    """What was trained must be what is committed: the same code, data, parameters and environment."""
    found = train.behind(repository, contract)
    if not found.is_fresh:
        raise KitError(
            "The model is not this commit's: " + "; ".join(found.lines) + ".",
            "Run `mlops-kit train`, then `mlops-kit gate`.",
        )


def _refuse_altered(repository: Repository, contract: Contract, lock: Lock) -> None:
    """What the gates judged must be what the training made."""
    judged = [contract.metrics, *contract.artifacts]
    judged += [contract.predictions.file] if contract.predictions else []
    made = {out.path: out.md5 for path in judged if (out := lock.out(path))}
    if altered := [path for path, md5 in made.items() if repository.md5(path) not in (None, md5)]:
        raise KitError(
            f"{', '.join(altered)}: changed after the training, so the gates did not judge what it made.",
            "Run `mlops-kit train`, then `mlops-kit gate`.",
        )


def _verdict(repository: Repository) -> Verdict:
    verdict = gate_results.load(repository)
    if verdict is None:
        raise KitError("The gates were not asked about this model.", "Run `mlops-kit gate`.")
    return verdict


def _push(repository: Repository, contract: Contract, say: Say) -> None:
    """A version whose data nobody else can get must not exist."""
    if repository.remote is None:
        if repository.has_origin:
            raise KitError("Nothing registered: no remote.", ADD_REMOTE)
        return
    say(f"Pushing data and model to {repository.remote.name}")
    transfer(repository, contract.commands.dvc, "push", "--run-cache")


def _finish(repository: Repository, contract: Contract, handed: Handover, bump: str, say: Say) -> Registered:
    if not handed.verdict.is_open:
        return version_commit.reject(repository, handed.made)
    say("Registering")
    return version_commit.register(repository, contract, handed, bump)
