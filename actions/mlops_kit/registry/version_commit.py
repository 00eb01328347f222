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
from mlops_kit.registry.provenance import bom, signing, slsa
from mlops_kit.runs import events
from mlops_kit.versions import description, differences, foreign, record, tags
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
    to_do: str = ""  # the one thing to do for a clean workspace; empty if it is clean


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
            repository,
            draft.code.commit,
            _files(repository, contract, candidate, complete),
            _message(complete),
        )
        results.append(_tag(repository, complete, commit))

    commits.retry(once)
    return results[-1]


def identical(repository: Repository, draft: Record) -> Registered | None:
    """The version that is the same result already; None if there is none."""
    form = f"%(refname:lstrip=2)%09%(contents:trailers:key={TRAILER},valueonly)"  # one: Git 2.39 mixes two up
    pattern = tags.ref(tags.version_glob(draft.model))
    listed = repository.git("for-each-ref", f"--format={form}", "--sort=creatordate", pattern)
    for line in listed.splitlines():
        tag, _, identity_of_tag = line.partition("\t")
        if identity_of_tag == identity(draft) and _is_registered(repository, tag, draft):
            name = tags.version_in(draft.model, tag)
            says = f"Identical to {name}: the same inputs and the same predictions. Nothing new to register."
            return Registered("identical", name, tag, repository.commit(tag), True, says)
    return None


def _is_registered(repository: Repository, tag: str, draft: Record) -> bool:
    """True if the tag's record says the same: whoever may push can write any message."""
    found = foreign.parsed(repository.show(repository.commit(tag), record.FILE) or "")
    if isinstance(found, str) or tags.version_tag(found.model, found.version) != tag:
        return False
    return identity(found) == identity(draft)


def _complete(repository: Repository, draft: Record, bump: str) -> Record:
    """The record with version and description, and with the row counts of data that was not fetched."""
    before = versions.newest(repository, draft.model)
    number = versions.next_free(repository, draft.model, bump)
    earlier = read(repository, before) if before else None
    commits.deepen_to(repository, earlier.code.commit if earlier else None)
    draft = draft.model_copy(update=of_the_same_data(draft, earlier))
    return draft.model_copy(
        update={
            "version": "v" + ".".join(map(str, number)),
            "since": before.name if before else None,
            "description": description.in_words(differences.between(earlier, draft, repository)),
        }
    )


def _files(
    repository: Repository, contract: Contract, candidate: Candidate, complete: Record
) -> dict[str, bytes | None]:
    """The files that the version's commit adds to the merged commit."""
    files = {
        LOCK: candidate.lock.text.encode(),
        contract.metrics: candidate.metrics,
        record.FILE: complete.text().encode(),
        record.CARD: card.card(complete).encode(),
        record.BOM: bom.bom(repository, contract, complete),
        **{path: text.encode() for path, text in candidate.pointers.items()},
    }
    files[record.PROVENANCE] = statement = slsa.statement(repository, complete, files)
    return {**files, **signing.signatures(repository, contract.signing, statement)}


def of_the_same_data(draft: Record, earlier: Record | None) -> dict[str, Any]:
    """Fields of unchanged data, taken from the earlier record because the data may not have been fetched now."""
    if earlier is None:
        return {}
    rows = {file.md5: file.rows for file in earlier.data}
    summed = {(one.path, one.md5): one for one in earlier.tables}
    return {
        "data": [
            file.model_copy(update={"rows": rows.get(file.md5)}) if file.rows is None else file
            for file in draft.data
        ],
        "tables": [summed.get((one.path, one.md5), one) for one in draft.tables],
    }


def _message(complete: Record) -> str:
    trailers = f"Run: {complete.trigger.run}\n{TRAILER}: {identity(complete)}"
    return f"{complete.model} {complete.version}\n\n{complete.description.strip()}\n\n{trailers}\n"


def _tag(repository: Repository, complete: Record, commit: str) -> Registered:
    """An annotated tag. It is deleted again if origin does not take it."""
    tag = tags.version_tag(complete.model, complete.version)
    note = (
        "This commit is a child of the merged one and on no branch. That is meant: it adds lock, metrics, "
        "record and card without writing to a protected branch."
    )
    message = _message(complete).replace("\n\n", f"\n\n{note}\n\n", 1)
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
            raise _refusal(complete.model, tag, error) from error
        raise
    says = f"Registered {tag}."
    if not repository.has_origin:
        says += f" There is no origin: to publish it later, `git push origin {tag}`."
    assert complete.version
    return Registered("registered", complete.version, tag, commit, repository.has_origin, says)


def _refusal(model: str, tag: str, error: KitError) -> KitError:
    return KitError(
        f"A rule of origin refuses the tag {tag}:\n{error.what}",
        f"Let whoever runs this create tags: in the ruleset for tags, target `{tags.ref(tags.version_glob(model))}`, add the "
        "app `GitHub Actions` to the bypass list, or forbid only `update` and `deletion` (.github/"
        "ruleset-tags.json does that).",
    )


def reject(repository: Repository, draft: Record) -> Registered:
    """Keep the record of a model that the gates rejected with the events of its run. No tag is made."""
    events.keep_rejected(repository, draft.trigger.run, draft.text())
    closed = ", ".join(gate["name"] for gate in draft.gates if gate["status"] != "pass")
    return Registered(
        "rejected", says=f"Not registered: {closed} did not pass. Its record is kept with the run's events."
    )
