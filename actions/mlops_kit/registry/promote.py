"""A version into a stage, and the one before back into it.

Everything is checked before the tag is made, so that whatever goes wrong, the stage holds what it held. Two
at once make the same tag, flights#production#5, and origin takes one of them.
"""

from dataclasses import dataclass, replace
from typing import Literal

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.project import commits
from mlops_kit.project.contract import FILE, Contract
from mlops_kit.project.repository import Repository
from mlops_kit.registry import artifacts, assign, integrity
from mlops_kit.registry.announce import announce
from mlops_kit.registry.assign import NOTHING
from mlops_kit.runs import events
from mlops_kit.versions import stages, tags
from mlops_kit.versions import version as versions
from mlops_kit.versions.stages import PROMOTION, ROLLBACK, Assignment, Stay
from mlops_kit.versions.version import Version

Part = Literal["all", "check", "move", "after"]
LOOK = "Nothing of yours was done. `mlops-kit versions` shows what is where; then decide again."


@dataclass(frozen=True)
class Wish:
    """`part` is for a workflow of several jobs: one reaches the remote, one may write, one runs the hooks."""

    stage: str
    why: str
    version: str = ""  # empty: back to the one before
    expect: str = ""  # refuse when the stage does not hold this version any more
    part: Part = "all"


@dataclass(frozen=True)
class Promoted:
    """`outcome` is promoted, rolled back, unchanged, checked or told."""

    outcome: str
    version: str
    stage: str
    was: str  # empty where the stage held nothing
    why: str
    who: str = ""
    tag: str = ""
    published: bool = False
    checked: tuple[str, ...] = ()  # artifacts found in the remote, unaltered
    failed_hooks: tuple[str, ...] = ()
    says: str = ""


@dataclass(frozen=True)
class Board:
    """Versions and stages as they are now."""

    by_commit: dict[str, Version]
    ordered: list[Assignment]

    def held(self, stage: str) -> Stay | None:
        return stages.current_stay(self.ordered, stage)

    def name(self, stay: Stay | None) -> str:
        """Of the version; of a commit that is none any more its hash."""
        if stay is None:
            return ""
        return self.by_commit[stay.commit].name if stay.commit in self.by_commit else stay.commit[:7]

    def says(self, stage: str, how: str) -> str:
        stay = self.held(stage)
        by = f", by {stay.put.who} at {stay.since:%Y-%m-%d %H:%M} UTC: {stay.put.why}" if stay else ""
        return f"{stage} holds {self.name(stay) or NOTHING}, {how}{by}."


def board(repository: Repository, model: str) -> Board:
    """Of this clone."""
    by_commit = {version.commit: version for version in versions.versions(repository, model)}
    return Board(by_commit, stages.assignments(repository, model))


def carry_out(repository: Repository, contract: Contract, wish: Wish, say: Say) -> Promoted:
    """Raises KitError with the reason; then the stage holds what it held."""
    found = _asked(repository, contract.model)
    _expect_stage(found, contract, wish.stage)
    if wish.part == "after":
        return _tell(repository, contract, _what_holds(found, wish), say)
    version, held = _chosen(repository, contract.model, found, wish), found.held(wish.stage)
    done = Promoted("unchanged", version.name, wish.stage, found.name(held), wish.why)
    if held and held.commit == version.commit:
        says = f"{version.name} is in {wish.stage} already, since {held.since:%Y-%m-%d %H:%M} UTC."
        return replace(done, says=says)
    say(f"check {version.tag}")
    integrity.checked(repository, contract, version)
    if wish.part != "move":
        looked = tuple(artifacts.check(repository, contract, version))
        done = replace(done, outcome="checked", checked=looked, says=_may(done, looked))
    if wish.part != "check":
        say(f"put {version.name} into {wish.stage}")
        done = _move(repository, found, version, wish, done)
    return _tell(repository, contract, done, say) if wish.part == "all" else done


def _asked(repository: Repository, model: str) -> Board:
    """With what origin has, and nothing else: what it does not have must not decide what is in a stage."""
    try:
        versions.fetch(repository, model)
        gone = versions.only_here(repository, model)
    except KitError as error:
        raise KitError(
            f"origin cannot be asked what is in which stage: {error.what}",
            "Nothing was changed. Try again when `git ls-remote origin` answers.",
        ) from error
    if gone:
        raise KitError(
            f"Here, and not at origin: {', '.join(gone[:3])}. Deleted there, or never published?",
            f"`git push origin '{gone[0]}'` publishes it, `git tag --delete '{gone[0]}'` forgets it. Nothing was "
            "changed.",
        )
    return board(repository, model)


def _expect_stage(found: Board, contract: Contract, stage: str) -> None:
    """A misspelt stage must not become one that nobody serves from."""
    known = sorted({"production", *contract.stages, *stages.stage_names(found.ordered)})
    if stage not in known:
        raise KitError(
            f"{contract.model} has no stage {stage!r}.",
            f"Stages: {', '.join(known)}. Another one is declared under `stages` in {FILE}.",
        )


def _chosen(repository: Repository, model: str, found: Board, wish: Wish) -> Version:
    was = found.name(found.held(wish.stage))
    if wish.expect and (was or NOTHING) not in (wish.expect, tags.version_in(model, wish.expect)):
        raise KitError(found.says(wish.stage, f"and not {wish.expect}"), LOOK)
    if wish.version:
        return versions.find(repository, model, wish.version)
    commit = stages.rollback_target(found.ordered, wish.stage)
    if not was or commit is None:
        what = f"{was} is the first version in it" if was else "no version is in it"
        raise KitError(
            f"{wish.stage} cannot be rolled back: {what}.",
            f"`mlops-kit promote V --stage {wish.stage}` puts one there.",
        )
    if commit not in found.by_commit:
        raise KitError(
            f"{wish.stage} held commit {commit[:7]} before, which is no version any more: its tag was deleted, "
            "moved or taken back.",
            f"`mlops-kit promote V --stage {wish.stage}` puts another one there.",
        )
    return found.by_commit[commit]


def _may(done: Promoted, looked: tuple[str, ...]) -> str:
    found = f"in the remote, unaltered: {', '.join(looked)}" if looked else "it has no artifact to look for"
    return f"{done.version} can go into {done.stage}, which holds {done.was or NOTHING}; {found}."


def _move(repository: Repository, found: Board, version: Version, wish: Wish, done: Promoted) -> Promoted:
    kind = PROMOTION if wish.version else ROLLBACK
    said = {"why": wish.why, "Was": done.was or NOTHING, "Kind": kind}
    try:
        given = assign.assign(repository, version, wish.stage, found.ordered, **said)
    except commits.RefMoved as error:
        versions.fetch(repository, version.model)
        now = board(repository, version.model)
        raise KitError(now.says(wish.stage, "and somebody promoted while this ran"), LOOK) from error
    outcome = "promoted" if wish.version else "rolled back"
    says = f"{wish.stage}: {done.was or NOTHING} -> {version.name} ({given.tag})."
    if not given.published:
        says += f" There is no origin: to publish it later, `git push origin '{given.tag}'`."
    return replace(done, outcome=outcome, who=given.who, tag=given.tag, published=given.published, says=says)


def _what_holds(found: Board, wish: Wish) -> Promoted:
    held = found.held(wish.stage)
    if held is None:
        raise KitError(found.says(wish.stage, "so there is nothing to tell"), LOOK)
    put = held.put
    was = "" if put.was == NOTHING else put.was
    return Promoted("told", found.name(held), wish.stage, was, put.why, put.who, put.tag, True)


def _tell(repository: Repository, contract: Contract, done: Promoted, say: Say) -> Promoted:
    """The hooks: what they do can fail, and the promotion stands."""
    journal = events.alone(repository)
    about = {"version": done.version, "was": done.was, "why": done.why, "tag": done.tag}
    with journal.stage("promote", to=done.stage, **about):
        told = {**about, "stage": done.stage}
        failed = announce(contract, repository, "after_promote", journal, say, **told)
    says = done.says or f"The hooks were told that {done.version} is in {done.stage}."
    return replace(done, failed_hooks=tuple(failed), says=says)
