"""Post an alarm to a chat or a program, in its own format. No other module posts anywhere but to GitHub."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from mlops_kit.base import credentials, deadline
from mlops_kit.base.errors import KitError

VARIABLE = credentials.WEBHOOK
TRIES, BACKOFF, TIMEOUT = 4, 0.5, 10  # seconds; doubled from try to try
SECONDS = 60.0  # for all of it
LONGEST = 1000  # bytes of an answer that are read
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
    """Raises KitError after the last try, or when the time is over. The address is a secret: no message contains it.

    No redirect to another host is followed, and of an answer only the beginning is read.
    """
    address = _address()
    try:
        with deadline.within(SECONDS):
            why = _post(address, FORMS[form](message))
    except deadline.TimeOver:
        why = f"it has not answered within {SECONDS:g} s"
    if why:
        raise _not_delivered(address, why)


def _post(address: str, content: Mapping[str, Any]) -> str:
    """Post until it is delivered, at most TRIES + 1 times. Returns the reason of a failure; empty if it was delivered."""
    import requests

    why = ""
    with requests.Session() as session:
        for number in range(TRIES + 1):
            time.sleep(BACKOFF * 2 ** (number - 1) if number else 0)
            try:
                answer = session.post(
                    address, json=content, timeout=TIMEOUT, stream=True, allow_redirects=False
                )
            except requests.RequestException as error:
                why = f"no answer after {number + 1} tries ({type(error).__name__})"
                continue
            with answer:
                why = "" if answer.status_code < 300 else _refusal(answer)
                moved = _on_the_same_host(address, answer)
            if moved and moved != address:
                address = moved
            elif answer.status_code not in AGAIN:
                break
    return why


def _on_the_same_host(address: str, answer: Any) -> str:
    """Return the address of a redirect that keeps the message (307, 308); empty if it leads to another host."""
    if answer.status_code not in (307, 308):
        return ""
    target = urljoin(address, answer.headers.get("Location", ""))
    same = urlsplit(target).hostname == urlsplit(address).hostname
    return target if same and urlsplit(target).scheme in ("https", urlsplit(address).scheme) else ""


def _refusal(answer: Any) -> str:
    """Return the answer of a server that did not take the message."""
    if 300 <= answer.status_code < 400:
        host = urlsplit(answer.headers.get("Location", "")).hostname
        to = f" to {host}" if host else ""
        return f"it answers {answer.status_code}, a redirect{to}, which is not followed"
    text = answer.raw.read(LONGEST, decode_content=True).decode("utf-8", "replace").strip()
    shown = f", {text[:200]}" if text and len(text) < LONGEST else ""
    return f"it answers {answer.status_code}{shown}"


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
    headline = _headline(message)
    body = [
        {"type": "TextBlock", "text": headline, "weight": "bolder", "size": "medium", "wrap": True},
        {"type": "TextBlock", "text": message.text.replace("](", "] ("), "wrap": True},  # no links of others
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
