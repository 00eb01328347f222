"""What the chat was told of each alarm. The events keep it, so that each beginning and each end is told once, and a
call that failed is made again by the next check.
"""

from dataclasses import dataclass, field

from mlops_kit.alerts import webhook
from mlops_kit.alerts.kinds import Kind
from mlops_kit.alerts.webhook import Form, Message, State
from mlops_kit.base import clock
from mlops_kit.base.errors import KitError
from mlops_kit.forge import github
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs import log as runs

TOLD = "told"


@dataclass(frozen=True)
class Chat:
    form: Form | None = None  # None: there is no webhook
    repository: str = ""
    thinks: dict[str, State] = field(default_factory=dict)  # an alarm it was told of, by kind

    @classmethod
    def of(cls, repository: Repository, contract: Contract) -> "Chat":
        if contract.alerts.webhook is None:
            return cls()
        name = github.slug_of(repository) or repository.root.name
        return cls(contract.alerts.webhook, name, _thinks(runs.read(repository)))

    def tell(self, state: State, kind: Kind, title: str, words: str, url: str = "") -> str:
        """ "told"; empty where there is no chat, or it knows; else why it was not told."""
        if self.form is None or self.thinks.get(kind, "over") == state:
            return ""
        try:
            webhook.send(
                self.form, Message(kind, state, title, words[:1500], self.repository, url, clock.timestamp())
            )
        except KitError as error:
            return in_a_line(error)
        return TOLD


def _thinks(log: runs.Log) -> dict[str, State]:
    told = sorted(
        (
            event
            for event in log.every()
            if event["stage"].startswith("alarm:") and event.get("webhook") == TOLD
        ),
        key=lambda event: clock.moment(event["at"]),
    )
    return {
        event["stage"].removeprefix("alarm:"): "over" if event["status"] == "closed" else "raised"
        for event in told
    }


def in_a_line(error: KitError) -> str:
    return f"{error.what} {error.do}".rstrip()
