"""Put a version into a stage, or the version before back into it.

Everything is checked before the tag is made, so an error leaves the stage as it was. Two promotions at once make
the same tag, for instance flights#production#5, and origin takes one of them.
"""

from dataclasses import dataclass, replace
from typing import Literal

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.project import commits
from mlops_kit.project.contract import FILE, Contract
from mlops_kit.project.repository import Repository
from mlops_kit.registry import approvals, artifacts, assign, integrity
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
class PromotionRequest:
    """What to promote. `part` is for a workflow of three jobs: one reads the remote, one writes, one runs hooks."""

    stage: str
    why: str
    version: str = ""  # empty: roll back to the version before
    expect: str = ""  # refuse if the stage does not hold this version any more
    part: Part = "all"


@dataclass(frozen=True)
class Promoted:
    """`outcome` is promoted, rolled back, unchanged, checked, asked or told."""

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
    """The versions and the assignments to stages, oldest first."""

    by_commit: dict[str, Version]
    ordered: list[Assignment]

    def held(self, stage: str) -> Stay | None:
        return stages.current_stay(self.ordered, stage)

    def name(self, stay: Stay | None) -> str:
        """The version's name; the commit's hash if the version was deleted."""
        if stay is None:
            return ""
        return self.by_commit[stay.commit].name if stay.commit in self.by_commit else stay.commit[:7]

    def says(self, stage: str, how: str) -> str:
        stay = self.held(stage)
        by = f", by {stay.put.who} at {stay.since:%Y-%m-%d %H:%M} UTC: {stay.put.why}" if stay else ""
        return f"{stage} holds {self.name(stay) or NOTHING}, {how}{by}."


def local_board(repository: Repository, model: str) -> Board:
    """The board as this clone has it."""
    by_commit = {version.commit: version for version in versions.versions(repository, model)}
    return Board(by_commit, stages.assignments(repository, model))


def promote(repository: Repository, contract: Contract, request: PromotionRequest, say: Say) -> Promoted:
    """Promote or roll back. Raises KitError with the reason; the stage then holds what it held."""
    board = _board_of_origin(repository, contract.model)
    _expect_stage(board, contract, request.stage)
    if request.part == "after":
        return _announce(repository, contract, _in_stage(board, request), say)
    version, held = _chosen_version(repository, contract.model, board, request), board.held(request.stage)
    done = Promoted("unchanged", version.name, request.stage, board.name(held), request.why)
    if held and held.commit == version.commit:
        says = f"{version.name} is in {request.stage} already, since {held.since:%Y-%m-%d %H:%M} UTC."
        return replace(done, says=says)
    say(f"check {version.tag}")
    integrity.checked(repository, contract, version)
    if request.part in ("all", "move") and approvals.is_asked(contract):
        return _ask_for_approval(repository, request, done)
    if request.part != "move":
        intact = tuple(artifacts.check(repository, contract, version))
        done = replace(done, outcome="checked", checked=intact, says=_check_says(done, intact))
    if request.part != "check":
        say(f"put {version.name} into {request.stage}")
        done = _move(repository, board, version, request, done)
    return _announce(repository, contract, done, say) if request.part == "all" else done


def _ask_for_approval(repository: Repository, request: PromotionRequest, done: Promoted) -> Promoted:
    """Start the workflow that a person approves. The stage holds what it held."""
    where = approvals.start(repository, request.version and done.version, request.stage, request.why)
    says = (
        f"{FILE} asks for an approval, so the workflow promote was started for {done.version}: {where} . "
        f"{request.stage} holds {done.was or NOTHING} until somebody approves it."
    )
    return replace(done, outcome="asked", says=says)


def _board_of_origin(repository: Repository, model: str) -> Board:
    """The board as origin has it. Raises KitError for tags that only this clone has: they must not decide."""
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
    return local_board(repository, model)


def _expect_stage(board: Board, contract: Contract, stage: str) -> None:
    """Raises KitError for a misspelt stage, from which nobody would serve."""
    known = sorted({"production", *contract.stages, *stages.stage_names(board.ordered)})
    if stage not in known:
        raise KitError(
            f"{contract.model} has no stage {stage!r}.",
            f"Stages: {', '.join(known)}. Another one is declared under `stages` in {FILE}.",
        )


def _chosen_version(repository: Repository, model: str, board: Board, request: PromotionRequest) -> Version:
    was = board.name(board.held(request.stage))
    if request.expect and (was or NOTHING) not in (request.expect, tags.version_in(model, request.expect)):
        raise KitError(board.says(request.stage, f"and not {request.expect}"), LOOK)
    if request.version:
        return versions.find(repository, model, request.version)
    commit = stages.rollback_target(board.ordered, request.stage)
    if not was or commit is None:
        what = f"{was} is the first version in it" if was else "no version is in it"
        raise KitError(
            f"{request.stage} cannot be rolled back: {what}.",
            f"`mlops-kit promote V --stage {request.stage}` puts one there.",
        )
    if commit not in board.by_commit:
        raise KitError(
            f"{request.stage} held commit {commit[:7]} before, which is no version any more: its tag was deleted, "
            "moved or taken back.",
            f"`mlops-kit promote V --stage {request.stage}` puts another one there.",
        )
    return board.by_commit[commit]


def _check_says(done: Promoted, artifacts_found: tuple[str, ...]) -> str:
    proof = (
        f"in the remote, unaltered: {', '.join(artifacts_found)}"
        if artifacts_found
        else "it has no artifact to look for"
    )
    return f"{done.version} can go into {done.stage}, which holds {done.was or NOTHING}; {proof}."


def _move(
    repository: Repository, board: Board, version: Version, request: PromotionRequest, done: Promoted
) -> Promoted:
    kind = PROMOTION if request.version else ROLLBACK
    facts = {"why": request.why, "Was": done.was or NOTHING, "Kind": kind}
    try:
        assignment = assign.assign(repository, version, request.stage, board.ordered, **facts)
    except commits.RefMoved as error:
        versions.fetch(repository, version.model)
        now = local_board(repository, version.model)
        raise KitError(now.says(request.stage, "and somebody promoted while this ran"), LOOK) from error
    outcome = "promoted" if request.version else "rolled back"
    says = f"{request.stage}: {done.was or NOTHING} -> {version.name} ({assignment.tag})."
    if not assignment.published:
        says += f" There is no origin: to publish it later, `git push origin '{assignment.tag}'`."
    return replace(
        done,
        outcome=outcome,
        who=assignment.who,
        tag=assignment.tag,
        published=assignment.published,
        says=says,
    )


def _in_stage(board: Board, request: PromotionRequest) -> Promoted:
    held = board.held(request.stage)
    if held is None:
        raise KitError(board.says(request.stage, "so there is nothing to tell"), LOOK)
    put = held.put
    was = "" if put.was == NOTHING else put.was
    return Promoted("told", board.name(held), request.stage, was, put.why, put.who, put.tag, True)


def _announce(repository: Repository, contract: Contract, done: Promoted, say: Say) -> Promoted:
    """Run the hooks. The promotion stands if they fail."""
    journal = events.alone(repository)
    about = {"version": done.version, "was": done.was, "why": done.why, "tag": done.tag}
    with journal.stage("promote", to=done.stage, **about):
        env = {**about, "stage": done.stage}
        failed = announce(contract, repository, "after_promote", journal, say, **env)
    says = done.says or f"The hooks were told that {done.version} is in {done.stage}."
    return replace(done, failed_hooks=tuple(failed), says=says)
