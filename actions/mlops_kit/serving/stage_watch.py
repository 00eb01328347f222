"""Which version a stage holds at origin, asked again and again while a server runs."""

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.project.repository import Repository
from mlops_kit.versions import version as versions
from mlops_kit.versions.version import Version

EVERY = 60.0  # seconds between two looks
AT_MOST_EVERY = 5.0  # seconds, however often somebody asks


class StageWatch:
    def __init__(self, repository: Repository, model: str, stage: str, say: Say) -> None:
        self.repository, self.model, self.stage, self.say = repository, model, stage, say
        self._trouble = ""  # said already

    def look(self) -> Version | None:
        """The version in the stage; None if it is unknown, or if the stage is empty. Says why, once."""
        trouble, version = "", None
        try:
            versions.fetch(self.repository, self.model)
            version = versions.in_stage(self.repository, self.model, self.stage)
        except (KitError, OSError) as error:
            trouble = f"origin cannot be reached ({str(getattr(error, 'what', error)).splitlines()[-1]})"
        if not trouble and version is None:
            trouble = f"{self.stage} holds no version any more"
        if trouble and trouble != self._trouble:
            self.say(f"warning: {trouble}; the version that is served stays")
        elif self._trouble and not trouble:
            self.say(f"{self.stage} can be read again")
        self._trouble = trouble
        return version


def first(repository: Repository, model: str, stage: str, say: Say) -> Version:
    """The version in the stage now. Raises KitError if there is none."""
    versions.refresh(repository, model, say)
    version = versions.in_stage(repository, model, stage)
    if version:
        return version
    newest = versions.newest(repository, model)
    if newest is None:
        raise KitError(
            f"{model} has no version yet.",
            "`mlops-kit train`, `gate` and `register` make one. `mlops-kit serve --workspace` serves what is here.",
        )
    option = "" if stage == "production" else f" --stage {stage}"
    raise KitError(
        f"{stage} of {model} holds no version yet.",
        f"`mlops-kit promote {newest.name}{option} --why ...` puts one there; "
        f"`mlops-kit serve --version {newest.name}` serves it without that.",
    )
