"""Assign a version to a stage: a tag in GTO's format, pushed before it is kept here."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mlops_kit.base import github_env
from mlops_kit.base.errors import KitError
from mlops_kit.project import commits
from mlops_kit.project.repository import Repository
from mlops_kit.versions import stages, tags
from mlops_kit.versions.stages import SKEW, Assignment
from mlops_kit.versions.version import Version

NOTHING = "nothing"


@dataclass(frozen=True)
class NewAssignment:
    tag: str
    who: str  # promoted
    published: bool  # at origin


def assign(
    repository: Repository,
    version: Version,
    stage: str,
    known: list[Assignment],
    **facts: str,
) -> NewAssignment:
    """`known`: the assignments on which the decision was based. Raises commits.RefMoved if origin has more by now."""
    count = max((one.count or 0 for one in known), default=0) + 1  # GTO counts through all stages
    tag = tags.stage_tag(version.model, stage, count)
    tag_object, tagger = _tag_object(repository, version, stage, tag, known, facts)
    origin = repository.has_origin
    if origin:
        try:
            commits.push(repository, f"{tag_object}:{tags.ref(tag)}")
        except commits.PushRefused as error:
            raise KitError(
                f"A rule of origin refuses the tag {tag}:\n{error.what}",
                f"Let whoever runs this create tags `{tags.ref(tags.stage_glob(version.model))}`. {stage} is unchanged.",
            ) from error
    repository.git("update-ref", tags.ref(tag), tag_object)
    return NewAssignment(tag, actor() or tagger, origin)


def _tag_object(
    repository: Repository,
    version: Version,
    stage: str,
    tag: str,
    known: list[Assignment],
    facts: dict[str, str],
) -> tuple[str, str]:
    """The hash of a new tag object without a ref, and the tagger's name.

    It is never dated before the newest assignment, whatever the clocks say, because GTO orders by date.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    at = max([now, *(one.dated + timedelta(seconds=1) for one in known)])
    clock = now.isoformat() if at - now > SKEW else ""
    dated = {"GIT_COMMITTER_DATE": f"{int(at.timestamp())} +0000"}
    tagger = repository.git("var", "GIT_COMMITTER_IDENT", **commits.identity(repository), **dated).strip()
    why = facts.pop("why")
    text = stages.message(
        f"{version.model} {version.name} -> {stage}", why, **facts, By=actor(), Run=_run(), Clock=clock
    )
    head = f"object {version.commit}\ntype commit\ntag {tag}\ntagger {tagger}\n\n"
    tag_object = repository.git("mktag", stdin=head + text).strip()
    return tag_object, tagger.partition(" <")[0]


def actor() -> str:
    """On a runner, the person who started the workflow, because the tagger is a bot; empty elsewhere."""
    return github_env.actor() if github_env.on_runner() else ""


def _run() -> str:
    """The number of the workflow's run, by which GitHub can be asked who made the tag; empty elsewhere."""
    return github_env.run_id() if github_env.on_runner() else ""
