"""A total time for calls over the network: socket timeouts alone don't end an answer that comes a byte at a time."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class TimeOver(BaseException):
    """A block took too long. Not an Exception, so that no library treats it as an error to retry."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TimeOver if the block takes longer.

    It interrupts the main thread only: in other threads, and on Windows, only the timeouts of the sockets apply.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(number: int, frame: object) -> None:
        raise TimeOver

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def call(seconds: float, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Call a function that signals don't interrupt, such as one of Arrow's. Raises TimeoutError if it takes longer.

    The call then goes on in a thread that ends with the process.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function(*arguments, **options))
        except BaseException as error:  # noqa: BLE001  # raised again by the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return results[0]
