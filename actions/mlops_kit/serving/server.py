"""A server in the foreground: replicas of a version, Envoy in front, until somebody stops it."""

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from shutil import rmtree
from typing import Any

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.serving import control, place, stage_watch, targets
from mlops_kit.serving.address import Address
from mlops_kit.serving.background import in_background
from mlops_kit.serving.envoy import public_port
from mlops_kit.serving.envoy.configuration import Settings
from mlops_kit.serving.envoy.proxy import Proxy
from mlops_kit.serving.envoy.public_port import PublicPort
from mlops_kit.serving.follower import Follower
from mlops_kit.serving.keeper import NeverReadyError, Programs
from mlops_kit.serving.place import ServerPlace
from mlops_kit.serving.preparation import Preparation, Prepared
from mlops_kit.serving.replicas import Engine, Replicas
from mlops_kit.serving.started import Started, counted, request_to_try
from mlops_kit.training import freshness
from mlops_kit.versions import version as versions

CONNECTIONS = 10_000  # at most, of callers; each is a file
ENVOY_ENDS = 5.0  # seconds
GRACE = 35.0  # seconds for a replica to end what is in flight, which takes 30 s at most


@dataclass(frozen=True)
class ServeRequest:
    """What to serve, and where."""

    version: str = ""  # empty: what the stage holds, also when that changes
    workspace: bool = False
    host: str = "127.0.0.1"
    port: int = 8080
    replicas: int | None = None  # None: as mlops.yaml says
    log: bool = True

    @property
    def follows(self) -> bool:
        return not self.version and not self.workspace


def serve(
    repository: Repository,
    contract: Contract,
    request: ServeRequest,
    say: Say,
    started: Callable[[Started], None],
) -> None:
    """Serve until SIGTERM or Ctrl-C, then end without losing a request. `started` is called when it answers.

    Raises KitError if nothing can be served; KeyboardInterrupt for a second Ctrl-C.
    """
    preparation = Preparation(repository, contract, say)
    with (
        public_port.reserved(request.host, request.port) as public,
        place.held(repository.root, public.address) as here,
    ):
        first = _first(preparation, request, say)
        if not asyncio.run(Server(preparation, request, public, here, say).run(first, started)):
            raise KeyboardInterrupt


def _first(preparation: Preparation, request: ServeRequest, say: Say) -> Prepared:
    if request.workspace:
        for line in _stale(preparation):
            say(f"warning: the model in the workspace is stale. {line}")
        return preparation.workspace()
    repository, model = preparation.repository, preparation.contract.model
    say("find the version")
    if not request.version:
        return preparation.version(stage_watch.first(repository, model, preparation.section.stage, say))
    versions.refresh(repository, model, say)
    return preparation.version(versions.find(repository, model, request.version))


def _stale(preparation: Preparation) -> list[str]:
    """Which stages would run again, and why. Empty without a lock: the replica then says what is missing."""
    start = freshness.of_tree(preparation.repository)
    if start is None:
        return []
    return freshness.of(preparation.repository, preparation.contract, start.lock, start.revision).stale


class Server:
    def __init__(
        self, preparation: Preparation, request: ServeRequest, public: PublicPort, here: ServerPlace, say: Say
    ) -> None:
        self.preparation, self.request, self.public, self.here = preparation, request, public, here
        self.say = _tolerant(say)
        self.root, self.model = preparation.repository.root, preparation.contract.model
        section = preparation.section
        log = self.root / section.log if request.log else None
        self.engine = Engine(
            self.root, self.model, section.replica, log, request.replicas or section.replicas
        )
        self.live: list[Replicas] = []  # those that get requests: two while the version changes
        self.started: list[Replicas] = []  # all that may have processes
        self.proxy: Proxy | None = None
        self.follower: Follower | None = None
        self.answers = False
        self.on_terminal = _has_terminal()

    async def run(self, first: Prepared, started: Callable[[Started], None]) -> bool:
        """True if it ended in peace, False if it was told to end at once. Raises KitError."""
        loop = asyncio.get_running_loop()
        self.broken: asyncio.Future[str] = loop.create_future()
        self.stop, self.at_once = asyncio.Event(), asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_stop)
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup)
        serving = asyncio.create_task(self._serve(first, started))
        at_once = asyncio.create_task(self.at_once.wait())
        try:
            await asyncio.wait([serving, at_once], return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            return serving.done()
        finally:
            serving.cancel()
            at_once.cancel()
            self._kill()
            if self.proxy:
                rmtree(self.proxy.settings.folder, ignore_errors=True)

    def _on_stop(self) -> None:
        """Before the first answer nothing can be lost, and a second signal means it."""
        (self.stop if self.answers and not self.stop.is_set() else self.at_once).set()

    def _on_hangup(self) -> None:
        """From a person who wants the stage looked at, or from a terminal that was closed."""
        if self.on_terminal and not _has_terminal():
            self._on_stop()
        self._refresh()

    def _refresh(self) -> bool:
        if self.follower:
            self.follower.asked.set()
        return self.follower is not None

    # ---- from start to end ----

    async def _serve(self, first: Prepared, started: Callable[[Started], None]) -> None:
        replicas = await self._replicas(first)
        self.live = [replicas]
        controller, control_address = await control.listen(self._refresh)
        async with controller:
            self.proxy = proxy = self._proxy(first, control_address)
            self._show()
            await self._ready(proxy.group, "Envoy does not start")
            await proxy.seen(replicas.addresses())
            if self.request.follows:
                self.follower = Follower(self.preparation, first, self._change, self.say)
            self._show()
            self.answers = True
            started(await asyncio.to_thread(self._facts, replicas))
            await in_background(lambda: self.preparation.remove_others(first.deployment))
            await self._until_stopped()
            await self._drain(proxy)

    async def _until_stopped(self) -> None:
        waits: list[asyncio.Future[Any]] = [asyncio.create_task(self.stop.wait()), self.broken]
        if self.follower:
            waits.append(asyncio.create_task(self.follower.follow()))
        done, others = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for one in others:
            one.cancel()
        if self.broken in done:
            raise KitError(self.broken.result(), "Nothing answers any more, so the server ends.")
        for one in done:
            one.result()

    async def _drain(self, proxy: Proxy) -> None:
        self.say("stop: requests in flight end first")
        await proxy.drain(self.public.turn_away)
        self.public.held.close()
        await proxy.group.stop(ENVOY_ENDS)
        await asyncio.gather(*(replicas.group.stop(GRACE) for replicas in self.started))
        (self.root / self.here.targets).unlink(missing_ok=True)
        self.say("stopped")

    def _kill(self) -> None:
        for replicas in self.started:
            replicas.group.kill()
        if self.proxy:
            self.proxy.group.kill()

    # ---- parts ----

    async def _replicas(self, prepared: Prepared) -> Replicas:
        """Replicas that are ready."""
        self.say(f"start {counted(self.engine.count)} of {prepared.deployment.title}")
        replicas = Replicas(self.engine, prepared, self._show, self._break, self.say)
        self.started.append(replicas)
        try:
            await self._ready(replicas.group, f"The replicas of {prepared.deployment.title} do not start")
        except KitError:
            self.started.remove(replicas)
            raise
        return replicas

    async def _ready(self, group: Programs, else_says: str) -> None:
        try:
            await group.start()
        except NeverReadyError as error:
            raise KitError(f"{else_says}:\n{error}", "What they said before stands above.") from error

    def _proxy(self, first: Prepared, control_address: Address) -> Proxy:
        self.say("start Envoy")
        folder = self.root / self.here.folder
        settings = Settings(self.model, self.public.address, control_address, folder, _connections())
        command = self.preparation.section.proxy
        return Proxy(settings, command, first.environment(), self._show, self._break, self.say)

    def _break(self, words: str) -> None:
        if not self.broken.done():
            self.broken.set_result(words)

    def _show(self) -> None:
        """Tell Envoy and Prometheus which replicas are ready."""
        if self.proxy is None:
            return
        metrics = {replicas.deployment.version: replicas.metrics() for replicas in self.live}
        try:
            self.proxy.show([pair for replicas in self.live for pair in replicas.addresses()])
            targets.write_targets(self.root / self.here.targets, self.model, metrics, self.proxy.admins())
        except OSError as error:  # Envoy goes on with those that are healthy
            self.say(f"warning: the list of replicas cannot be written: {error}")

    def _facts(self, replicas: Replicas) -> Started:
        (rest, _), *_ = replicas.addresses()
        line = request_to_try(self.model, self.public.address, rest)
        version = replicas.deployment.version
        return Started(
            self.public.address.url, version, self.engine.count, line, self.here.targets.as_posix()
        )

    async def _change(self, prepared: Prepared) -> None:
        """Serve another version, without a moment in which none is ready. Raises KitError; the old one then stays."""
        (before,) = self.live
        assert self.proxy
        after = await self._replicas(prepared)
        self.live = [before, after]
        self._show()
        seen = await self.proxy.seen(after.addresses())
        self.live, leaves = ([after], before) if seen else ([before], after)
        gone = leaves.addresses()
        self._show()
        await self.proxy.seen(self.live[0].addresses(), gone)
        await leaves.group.stop(GRACE)
        self.started.remove(leaves)
        if not seen:
            raise KitError(
                "Envoy does not reach its replicas.", "Are they ready and then gone again? See above."
            )


def _tolerant(say: Say) -> Say:
    """Answers matter more than what is said about them: a full disk or a closed terminal stops nothing."""

    def said(text: str) -> None:
        with suppress(OSError):
            say(text)

    return said


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _connections() -> int:
    """How many callers may be connected: half of the files that a process may open, the other half is for replicas."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS * 2 if hard == resource.RLIM_INFINITY else min(CONNECTIONS * 2, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(CONNECTIONS, max(soft, wanted) // 2)
