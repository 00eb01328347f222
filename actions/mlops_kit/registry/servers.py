"""Servers of the model: a promotion asks each to look at the stage at once. They look every minute anyway."""

from collections.abc import Sequence
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mlops_kit.base.progress import Say

REFRESH = "/-/refresh"
WITHIN = 2.0  # seconds


def refresh(addresses: Sequence[str], say: Say) -> None:
    """Warn about a server that cannot be told."""
    for address in addresses:
        say(f"tell {address}")
        if problem := _problem(address):
            say(
                f"warning: {address} could not be told ({problem}). If it runs, it looks at the stage within a minute."
            )


def _problem(address: str) -> str:
    """Why the server could not be told; empty if it was."""
    request = Request(address.rstrip("/") + REFRESH, data=b"", method="POST")
    try:
        with urlopen(request, timeout=WITHIN):
            return ""
    except HTTPError as error:
        return f"it answered with {error.code}"
    except (OSError, HTTPException) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
