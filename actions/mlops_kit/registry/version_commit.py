"""Write a version: a commit with lock, metrics, record and card, and an annotated tag that names it.

The commit is a child of the merged one and on no branch, so main is never written. `git checkout TAG && dvc pull`
gives code, data, parameters, metrics and model together.
"""

from dataclasses import dataclass
from typing import Any

from mlops_kit.base.errors import KitError
from mlops_kit.project import commits
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK
from mlops_kit.project.repository import Repository
from mlops_kit.registry import card
from mlops_kit.registry.candidate import Candidate
from mlops_kit.runs import events
from mlops_kit.versions import description, differences, record, tags
from mlops_kit.versions import version as versions
from mlops_kit.versions.record import Record
from mlops_kit.versions.records import identity, read

TRAILER = "Identity"  # in a tag's message, so that one look at the tags finds the same result


@dataclass(frozen=True)
class Registered:
    """`outcome` is registered, identical, rejected or told."""

    outcome: str
    version: str = ""
    tag: str = ""
    commit: str = ""
    published: bool = False
    says: str = ""


def register(repository: Repository, contract: Contract, candidate: Candidate, bump: str) -> Registered:
    """Tags the model as the next version, at origin where there is one.

    The same inputs and predictions as an earlier version register nothing. A number that another run took
    meanwhile: the next one. Raises KitError when the remote refuses or cannot be reached; then nothing is
    registered, here neither.
    """
    results: list[Registered] = []
    draft = candidate.record

    def once() -> None:
        versions.fetch(repository, contract.model)
        if same := identical(repository, draft):
            results.append(same)
            return
        complete = _complete(repository, draft, bump)
        commit = commits.commit(
            repository, draft.code.commit, _files(contract, candidate, complete), _message(complete)
        )
        results.append(_tag(repository, complete, commit))

    commits.retry(once)
    return results[-1]


def identical(repository: Repository, made: Record) -> Registered | None:
    """The version that is the same result already; None if there is none."""
    form = f"%(refname:lstrip=2)%09%(contents:trailers:key={TRAILER},valueonly)"  # one: Git 2.39 mixes two up
    pattern = tags.ref(tags.version_glob(made.model))
    listed = repository.git("for-each-ref", f"--format={form}", "--sort=creatordate", pattern)
    for line in listed.splitlines():
        tag, _, said = line.partition("\t")
        if said == identity(made):
            name = tags.version_in(made.model, tag)
            says = f"Identical to {name}: the same inputs and the same predictions. Nothing new to register."
            return Registered("identical", name, tag, repository.commit(tag), True, says)
    return None


def _complete(repository: Repository, made: Record, bump: str) -> Record:
    """The record with version and description, and with the row counts of data that was not fetched."""
    before = versions.newest(repository, made.model)
    number = versions.next_number(versions.highest(repository, made.model), bump)
    earlier = read(repository, before) if before else None
    commits.deepen_to(repository, earlier.code.commit if earlier else None)
    made = made.model_copy(update=of_the_same_data(made, earlier))
    return made.model_copy(
        update={
            "version": "v" + ".".join(map(str, number)),
            "since": before.name if before else None,
            "description": description.in_words(differences.between(earlier, made, repository)),
        }
    )


def _files(contract: Contract, candidate: Candidate, complete: Record) -> dict[str, bytes | None]:
    """What the version's commit adds to the merged one."""
    pointers = {path: text.encode() for path, text in candidate.pointers.items()}
    return {
        LOCK: candidate.lock.text.encode(),
        contract.metrics: candidate.metrics,
        record.FILE: complete.text().encode(),
        record.CARD: card.card(complete).encode(),
        **pointers,
    }


def of_the_same_data(made: Record, earlier: Record | None) -> dict[str, Any]:
    """Fields that the earlier record has of unchanged data, which may not have been fetched now."""
    if earlier is None:
        return {}
    rows = {file.md5: file.rows for file in earlier.data}
    summed = {(one.path, one.md5): one for one in earlier.tables}
    return {
        "data": [
            file.model_copy(update={"rows": rows.get(file.md5)}) if file.rows is None else file
            for file in made.data
        ],
        "tables": [summed.get((one.path, one.md5), one) for one in made.tables],
    }


def _message(made: Record) -> str:
    trailers = f"Run: {made.trigger.run}\n{TRAILER}: {identity(made)}"
    return f"{made.model} {made.version}\n\n{made.description.strip()}\n\n{trailers}\n"


def _tag(repository: Repository, made: Record, commit: str) -> Registered:
    """An annotated tag. It is deleted again if origin does not take it."""
    tag = tags.version_tag(made.model, made.version)
    note = (
        "This commit is a child of the merged one and on no branch. That is meant: it adds lock, metrics, "
        "record and card without writing to a protected branch."
    )
    message = _message(made).replace("\n\n", f"\n\n{note}\n\n", 1)
    if tags.exists(repository, tag):
        raise commits.RefMoved(f"{tag} is there already.")
    repository.git(
        "tag",
        "--annotate",
        "--cleanup=verbatim",
        "-F",
        "-",
        tag,
        commit,
        stdin=message,
        **commits.identity(repository),
    )
    try:
        if repository.has_origin:
            commits.push(repository, tags.ref(tag))
    except BaseException as error:
        repository.git("tag", "--delete", tag)
        if isinstance(error, commits.PushRefused):
            raise _refused(made.model, tag, error) from error
        raise
    says = f"Registered {tag}."
    if not repository.has_origin:
        says += f" There is no origin: to publish it later, `git push origin {tag}`."
    assert made.version
    return Registered("registered", made.version, tag, commit, repository.has_origin, says)


def _refused(model: str, tag: str, error: KitError) -> KitError:
    return KitError(
        f"A rule of origin refuses the tag {tag}:\n{error.what}",
        f"Let whoever runs this create tags: in the ruleset for tags, target `{tags.ref(tags.version_glob(model))}`, add the "
        "app `GitHub Actions` to the bypass list, or forbid only `update` and `deletion` (.github/"
        "ruleset-tags.json does that).",
    )


def reject(repository: Repository, made: Record) -> Registered:
    """Keep the record of a model that the gates rejected with the events of its run. No tag is made."""
    events.keep_rejected(repository, made.trigger.run, made.text())
    closed = ", ".join(gate["name"] for gate in made.gates if gate["status"] != "pass")
    return Registered(
        "rejected", says=f"Not registered: closed by {closed}. Its record is kept with the run's events."
    )
