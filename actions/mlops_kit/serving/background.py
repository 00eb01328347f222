"""Work that blocks, beside a server that answers."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def in_background(work: Callable[[], T]) -> T:
    """The result of `work`, or its error. The thread does not keep the server from ending, unlike asyncio's own."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(action: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if future.done() else action())

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001  # raised again where the result is awaited
            failure = error
            tell(lambda: future.set_exception(failure))
        else:
            tell(lambda: future.set_result(result))

    Thread(target=run, daemon=True).start()
    return await future
