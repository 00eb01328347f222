"""How long a call to GitHub is tried again. Apart from `github`, because PyGithub takes a while to import."""

import time
from typing import Any, Self

from github.GithubException import RateLimitExceededExceedsMaxWait
from github.GithubRetry import GithubRetry
from urllib3 import BaseHTTPResponse

SECONDS = 120.0  # of waiting for one call
BACKOFF = 0.5  # doubled from try to try


class Patience(GithubRetry):
    """Waits as Retry-After and rate limits ask, within a total.

    What creates (POST) is sent again only where GitHub turned it away unread: after a 502 nobody knows
    whether the comment is there already.
    """

    def __init__(self, deadline: float | None = None, **settings: Any) -> None:
        self.deadline = deadline
        defaults: dict[str, Any] = {"total": 5, "backoff_factor": BACKOFF, "raise_on_status": False}
        super().__init__(**{"max_rate_limit_wait": SECONDS, **defaults, **settings})

    def new(self, **settings: Any) -> Self:
        return super().new(deadline=self.deadline or time.monotonic() + SECONDS, **settings)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        if method == "POST" and status_code not in (403, 429):
            return False
        return bool(super().is_retry(method, status_code, has_retry_after))

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds that the answer asks for. Raises where that is longer than we wait."""
        asked = super().get_retry_after(response)
        left = (self.deadline or time.monotonic() + SECONDS) - time.monotonic()
        if asked and asked > left:
            raise RateLimitExceededExceedsMaxWait(response.status, None, dict(response.headers), wait=asked)
        return asked
