"""Send one message to the webhook when an alarm begins and one when it ends.

The events keep what was sent, so the next check repeats a message that failed.
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
    form: Form | None = None  # None: no webhook is configured
    repository: str = ""
    told: dict[str, State] = field(default_factory=dict)  # the newest state that it was told, by kind

    @classmethod
    def of(cls, repository: Repository, contract: Contract) -> "Chat":
        if contract.alerts.webhook is None:
            return cls()
        name = github.slug_of(repository) or repository.root.name
        return cls(contract.alerts.webhook, name, _newest_states(runs.read(repository)))

    def tell(self, state: State, kind: Kind, title: str, text: str, url: str = "") -> str:
        """Send the message. Returns "told", the reason of a failure, or "" if there is no webhook or it has this state."""
        if self.form is None or self.told.get(kind, "over") == state:
            return ""
        try:
            webhook.send(
                self.form, Message(kind, state, title, text[:1500], self.repository, url, clock.timestamp())
            )
        except KitError as error:
            return in_a_line(error)
        return TOLD


def _newest_states(log: runs.Log) -> dict[str, State]:
    events = sorted(
        (
            event
            for event in log.every()
            if event["stage"].startswith("alarm:") and event.get("webhook") == TOLD
        ),
        key=lambda event: clock.moment(event["at"]),
    )
    return {
        event["stage"].removeprefix("alarm:"): "over" if event["status"] == "closed" else "raised"
        for event in events
    }


def in_a_line(error: KitError) -> str:
    return f"{error.what} {error.do}".rstrip()
