"""How much of an answer of GitHub is read: a server that never stops must not fill the memory."""

from collections.abc import Iterator
from typing import Any

MOST = 32 << 20  # bytes after decompression; the longest answers that we ask for have some megabytes
MEGABYTE = 1 << 20


class TooLongError(Exception):
    """An answer was longer than `MOST`."""

    def __init__(self) -> None:
        super().__init__(f"the answer is longer than {MOST / MEGABYTE:g} MB")


class Bounded:
    """A response of urllib3 that raises TooLongError when more than `MOST` bytes of it are read."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, *how: Any, **options: Any) -> Iterator[bytes]:
        size = 0
        for part in self._raw.stream(*how, **options):
            size += len(part)
            if size > MOST:
                self._raw.close()
                raise TooLongError
            yield part


def limit(session: Any) -> None:
    """Let this session of requests read no answer that is longer."""
    if _bounded not in session.hooks["response"]:
        session.hooks["response"].append(_bounded)


def _bounded(response: Any, **_: Any) -> Any:
    response.raw = Bounded(response.raw)
    return response
