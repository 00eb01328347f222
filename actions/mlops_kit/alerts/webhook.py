"""Post an alarm to a chat or a program, in its own format. No other module posts anywhere but to GitHub."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from mlops_kit.base import credentials
from mlops_kit.base.errors import KitError

VARIABLE = credentials.WEBHOOK
TRIES, BACKOFF, TIMEOUT = 4, 0.5, 10  # seconds; doubled from try to try
AGAIN = (408, 429, 500, 502, 503, 504)
Form = Literal["slack", "teams", "json"]
State = Literal["raised", "over", "test"]


@dataclass(frozen=True)
class Message:
    kind: str
    state: State
    title: str
    text: str  # a few lines of plain text
    repository: str
    url: str  # of the issue; empty if there is none
    at: str  # ISO 8601


def send(form: Form, message: Message) -> None:
    """Raises KitError after the last try. The address is a secret: no message contains it."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    address = _address()
    patience = Retry(
        TRIES,
        backoff_factor=BACKOFF,
        status_forcelist=AGAIN,
        allowed_methods=None,
        raise_on_status=False,
        respect_retry_after_header=False,  # it may be an hour; the next check tells what was not told
    )
    with requests.Session() as session:
        session.mount(f"{urlsplit(address).scheme}://", HTTPAdapter(max_retries=patience))
        try:
            answer = session.post(address, json=FORMS[form](message), timeout=TIMEOUT)
        except requests.RequestException as error:
            raise _not_delivered(
                address, f"no answer after {TRIES + 1} tries ({type(error).__name__})"
            ) from None
    if not answer.ok:
        answer_text = answer.text.strip()[:200] if len(answer.text) < 1000 else ""
        raise _not_delivered(
            address, f"it answers {answer.status_code}{f', {answer_text}' if answer_text else ''}"
        )


def _address() -> str:
    address = os.environ.get(VARIABLE, "").strip()
    if not address:
        raise KitError(
            f"mlops.yaml names a webhook (alerts.webhook), and {VARIABLE} is not set.",
            f"Its address is a secret: `gh secret set {VARIABLE}`, and `env:` of the step.",
        )
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise KitError(
            f"{VARIABLE} holds no address that starts with https://.",
            f"The chat's settings show it: `gh secret set {VARIABLE}`.",
        )
    return address


def _not_delivered(address: str, why: str) -> KitError:
    return KitError(
        f"The webhook at {urlsplit(address).hostname} was not told: {why}.",
        f"`mlops-kit alert --test` tries it; a new address goes into the secret {VARIABLE}.",
    )


# ---- forms ----


def _slack(message: Message) -> Mapping[str, Any]:
    """https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""
    link = f"\n<{message.url}|The issue>" if message.url else ""
    text = f"*{_escape(_headline(message))}*\n{_escape(message.text)}{link}"
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text[:3000]}}
    return {"text": _escape(_headline(message)), "blocks": [block]}


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(message: Message) -> Mapping[str, Any]:
    """An adaptive card for a workflow's webhook: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors"""
    body = [
        {"type": "TextBlock", "text": _headline(message), "weight": "bolder", "size": "medium", "wrap": True},
        {"type": "TextBlock", "text": message.text, "wrap": True},
    ]
    link = [{"type": "Action.OpenUrl", "title": "The issue", "url": message.url}] if message.url else []
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": link,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _headline(message: Message) -> str:
    state = {"raised": "Alarm", "over": "Over", "test": "Test"}[message.state]
    return f"{state}: {message.title} ({message.repository})"


def _json(message: Message) -> Mapping[str, Any]:
    return asdict(message)


FORMS: Mapping[Form, Callable[[Message], Mapping[str, Any]]] = {
    "slack": _slack,
    "teams": _teams,
    "json": _json,
}
