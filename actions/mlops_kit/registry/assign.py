"""An assignment as a tag in GTO's format, pushed before it is kept."""

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
class Given:
    tag: str
    who: str
    published: bool


def assign(
    repository: Repository,
    version: Version,
    stage: str,
    known: list[Assignment],
    **said: str,
) -> Given:
    """`known` is what there was when it was decided. Raises commits.RefMoved when origin has more by now."""
    count = max((one.count or 0 for one in known), default=0) + 1  # GTO counts through all stages
    tag = tags.stage_tag(version.model, stage, count)
    made, tagger = _tag_object(repository, version, stage, tag, known, said)
    origin = repository.has_origin
    if origin:
        try:
            commits.push(repository, f"{made}:{tags.ref(tag)}")
        except commits.PushRefused as error:
            raise KitError(
                f"A rule of origin refuses the tag {tag}:\n{error.what}",
                f"Let whoever runs this create tags `{tags.ref(tags.stage_glob(version.model))}`. {stage} is unchanged.",
            ) from error
    repository.git("update-ref", tags.ref(tag), made)
    return Given(tag, actor() or tagger, origin)


def _tag_object(
    repository: Repository,
    version: Version,
    stage: str,
    tag: str,
    known: list[Assignment],
    said: dict[str, str],
) -> tuple[str, str]:
    """Without a ref, so that nothing is here before it is at origin; and the tagger's name.

    Never dated before the newest one, by whatever clock that was: GTO goes by the date.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    at = max([now, *(one.dated + timedelta(seconds=1) for one in known)])
    clock = now.isoformat() if at - now > SKEW else ""
    dated = {"GIT_COMMITTER_DATE": f"{int(at.timestamp())} +0000"}
    tagger = repository.git("var", "GIT_COMMITTER_IDENT", **commits.identity(repository), **dated).strip()
    why = said.pop("why")
    text = stages.message(f"{version.model} {version.name} -> {stage}", why, **said, By=actor(), Clock=clock)
    head = f"object {version.commit}\ntype commit\ntag {tag}\ntagger {tagger}\n\n"
    made = repository.git("mktag", stdin=head + text).strip()
    return made, tagger.partition(" <")[0]


def actor() -> str:
    """Who asked for it on a runner, where the tagger is a robot; empty elsewhere."""
    return github_env.actor() if github_env.on_runner() else ""
