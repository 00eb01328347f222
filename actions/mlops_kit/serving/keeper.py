"""Keep processes running: start them again when they end, and give up when one never gets ready."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlops_kit.base.progress import Say
from mlops_kit.serving.address import Address
from mlops_kit.serving.processes import Child, Program

START_WITHIN = 300.0  # seconds from start to ready
ASK_AGAIN = 0.1  # seconds
WORDS = 3  # last lines, shown of a process that never got ready
FIRST_ATTEMPTS = 2  # another program may have taken a port between the choice and the start
ATTEMPTS = 5  # in a row, for a process that was ready once
LONGEST_PAUSE = 30.0  # seconds between two starts
REFUSES = 3  # exit code of a replica that does not serve this model: another start would not either
STABLE = 10.0  # seconds after which a death counts as the first again


class NeverReadyError(Exception):
    """A process ends again and again before it is ready; the text is what it said last."""


@dataclass(frozen=True)
class Attempt:
    """One start of a program."""

    command: list[str]
    is_ready: Callable[[], bool]  # called in a thread
    ports: tuple[Address, ...]


class Keeper:
    """Keeps one program running. `changed` is called when it becomes ready, and when it no longer is."""

    def __init__(
        self, program: Program, begin: Callable[[], Attempt], changed: Callable[[], None], say: Say
    ) -> None:
        self.program, self.begin, self.changed, self.say = program, begin, changed, say
        self.hopeless: Callable[[], bool] = lambda: True  # asked before it gives up
        self.child: Child | None = None
        self.attempt: Attempt | None = None  # the one that is ready
        self.ready = asyncio.Event()  # set for good once it was ready
        self.stopping = False

    async def keep(self) -> None:
        """Return after `stop`. Raises NeverReadyError."""
        failures = 0
        while not self.stopping:
            was_ready, seconds = await self._run()
            if self.stopping:
                return
            failures = 1 if was_ready and seconds > STABLE else failures + 1
            most = ATTEMPTS if self.ready.is_set() else FIRST_ATTEMPTS
            refuses = self.child is not None and self.child.process.returncode == REFUSES
            if not was_ready and (refuses or failures >= most) and self.hopeless():
                raise NeverReadyError(self._last_words())
            pause = min(0.1 * 2 ** min(failures - 1, 10), LONGEST_PAUSE)
            self.say(f"warning: {self.program.name} ended{self._why()}; it is started again")
            await asyncio.sleep(pause)

    async def _run(self) -> tuple[bool, float]:
        """One start, until the end: whether it was ready, and how long it ran."""
        begun = time.monotonic()
        try:
            attempt = self.begin()
            self.child = await Child.start(self.program, attempt.command, self.say)
        except OSError as error:  # a full disk, or no memory
            self.say(f"warning: {self.program.name} cannot be started: {error}")
            return False, 0.0
        end = asyncio.ensure_future(self.child.ended())
        if await self._becomes_ready(attempt, end):
            self.attempt = attempt
            self.ready.set()
            self.changed()
        await end
        was_ready, self.attempt = self.attempt is not None, None
        if was_ready:
            self.changed()
        return was_ready, time.monotonic() - begun

    async def _becomes_ready(self, attempt: Attempt, end: "asyncio.Future[int]") -> bool:
        deadline = time.monotonic() + START_WITHIN
        while not end.done() and not self.stopping:
            if await asyncio.to_thread(attempt.is_ready):
                return not end.done()
            if time.monotonic() > deadline and self.child:
                self.child.said.append(f"It was not ready within {START_WITHIN:.0f} s.")
                self.child.kill()
            await asyncio.wait([end], timeout=ASK_AGAIN)
        return False

    def _last_words(self) -> str:
        said = list(self.child.said) if self.child else []
        return "\n".join(said[-WORDS:]) or f"{self.program.name} ended{self._why()} and said nothing."

    def _why(self) -> str:
        code = self.child.process.returncode if self.child else None
        if code is None:
            return ""
        return f" (signal {-code})" if code < 0 else f" (exit code {code})"

    async def stop(self, within: float) -> None:
        self.stopping = True
        if self.child:
            await self.child.end(within)

    def kill(self) -> None:
        self.stopping = True
        if self.child:
            self.child.kill()


class Programs:
    """Programs that are kept running together. `broke` is called with the last words of one that is given up."""

    def __init__(self, keepers: Sequence[Keeper], broke: Callable[[str], None]) -> None:
        self.keepers, self.broke = keepers, broke
        self.tasks: list[asyncio.Task[None]] = []
        self.started = False
        for keeper in keepers:
            keeper.hopeless = lambda: not (self.started and self.ready())  # another one may answer meanwhile

    async def start(self) -> None:
        """Return when all are ready. Raises NeverReadyError."""
        self.tasks = [asyncio.create_task(keeper.keep()) for keeper in self.keepers]
        ready = asyncio.create_task(self._all_ready())
        done, _ = await asyncio.wait([*self.tasks, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        for task in set(self.tasks) & done:
            if error := task.exception():
                self.kill()
                raise error
        self.started = True
        for task in self.tasks:
            task.add_done_callback(self._ended)

    async def _all_ready(self) -> None:
        for keeper in self.keepers:
            await keeper.ready.wait()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()):
            self.broke(str(error))

    def ready(self) -> list[tuple[Address, ...]]:
        """The ports of each program that is ready."""
        return [keeper.attempt.ports for keeper in self.keepers if keeper.attempt]

    async def stop(self, within: float) -> None:
        await asyncio.gather(*(keeper.stop(within) for keeper in self.keepers))
        self._forget()

    def kill(self) -> None:
        for keeper in self.keepers:
            keeper.kill()
        self._forget()

    def _forget(self) -> None:
        for task in self.tasks:
            task.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody asks any more
            task.cancel()
