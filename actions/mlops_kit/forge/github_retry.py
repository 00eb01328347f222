"""How long a call to GitHub is tried again. Apart from `github`, because PyGithub takes a while to import."""

import time
from typing import Any, Self

from github.GithubException import RateLimitExceededExceedsMaxWait
from github.GithubRetry import GithubRetry
from urllib3 import BaseHTTPResponse

from mlops_kit.forge.github_size import Bounded

SECONDS = 50.0  # of waiting for one call
BACKOFF = 0.5  # doubled from try to try
SILENCES = 2  # after so many answers that did not come, one more try
SAFE = frozenset({"GET", "PUT", "PATCH", "DELETE"})  # twice is as once


class Patience(GithubRetry):
    """Waits as Retry-After and rate limits ask, within a total.

    What creates (POST) is sent again only where GitHub turned it away unread: after a 502, or no answer,
    nobody knows whether the comment is there already.
    """

    def __init__(self, deadline: float | None = None, **settings: Any) -> None:
        self.deadline = deadline
        tries = {"total": 5, "read": SILENCES, "allowed_methods": SAFE}
        waits = {"backoff_factor": BACKOFF, "max_rate_limit_wait": SECONDS}
        super().__init__(**{**tries, **waits, "raise_on_status": False, **settings})

    def new(self, **settings: Any) -> Self:
        return super().new(deadline=self.deadline or time.monotonic() + SECONDS, **settings)

    def increment(
        self, method: str | None = None, url: str | None = None, response: Any = None, *more: Any, **rest: Any
    ) -> Any:
        """The next try. The answer to this one is closed: urllib3 would read it to its end."""
        following = super().increment(method, url, response, *more, **rest)
        if response:
            response.close()
        return following

    @staticmethod
    def get_content(resp: Any, url: str) -> Any:
        bounded: Any = Bounded(resp)
        return GithubRetry.get_content(bounded, url)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        if method not in SAFE:
            return status_code in (403, 429)
        return bool(super().is_retry(method, status_code, has_retry_after))

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds that the answer asks for. Raises where that is longer than we wait."""
        asked = super().get_retry_after(response)
        left = (self.deadline or time.monotonic() + SECONDS) - time.monotonic()
        if asked and asked > left:
            raise RateLimitExceededExceedsMaxWait(response.status, None, dict(response.headers), wait=asked)
        return asked
