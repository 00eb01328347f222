"""What a long command says on the way, and how far a reading is, every few seconds."""

import time
from collections.abc import Callable

Say = Callable[[str], None]
EVERY = 5.0  # seconds


def quiet(_: str) -> None:
    """For whoever waits for nothing."""


class Progress:
    def __init__(self, say: Say, what: str = "rows") -> None:
        self.say, self.what, self.n = say, what, 0
        self.due = time.monotonic() + EVERY

    def add(self, n: int) -> None:
        self.n += n
        if time.monotonic() > self.due:
            self.say(f"{self.n:,} {self.what} so far")
            self.due = time.monotonic() + EVERY
