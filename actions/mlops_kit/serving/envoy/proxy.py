"""Envoy in front of the replicas: two processes on one port, so that the death of one costs no new request."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_kit.base.processes import words
from mlops_kit.base.progress import Say
from mlops_kit.serving import loopback
from mlops_kit.serving.address import Address
from mlops_kit.serving.envoy import configuration, routes
from mlops_kit.serving.envoy.configuration import GRPC, LISTENER, REST, Settings
from mlops_kit.serving.keeper import Attempt, Keeper, Programs
from mlops_kit.serving.processes import Program

PROCESSES = 2
DRAIN = 2  # seconds in which callers are told to close their connections, before the port is closed
IN_FLIGHT = 30.0  # seconds that requests in flight get
SEEN_WITHIN = 15.0  # seconds until a change of the endpoints holds
ACTIVE = f"http.{LISTENER}.downstream_rq_active"
OPTIONS = (
    "--disable-hot-restart",
    "--concurrency",
    "1",
    "--log-level",
    "warning",
    "--component-log-level",
    "main:error",
)
HEALTHY = {"eds_health_status": "HEALTHY"}  # any other field says that a check failed, or is still to come
DRAINS = ("--drain-time-s", str(DRAIN), "--drain-strategy", "immediate")

Pair = tuple[Address, Address]  # where a replica answers REST, and gRPC


class Proxy:
    def __init__(
        self,
        settings: Settings,
        command: str,
        environment: Mapping[str, str],
        changed: Callable[[], None],
        broke: Callable[[str], None],
        say: Say,
    ) -> None:
        self.settings, self.command, self.say = settings, command, say
        settings.folder.mkdir(parents=True, exist_ok=True)
        write(settings.folder / configuration.ROUTES, routes.routes(settings.model))
        keepers = []
        for number in range(1, PROCESSES + 1):
            program = Program(f"proxy {number}", settings.folder, environment)
            keepers.append(Keeper(program, self._beginning(number), changed, say))
        self.group = Programs(keepers, broke)

    def _beginning(self, number: int) -> Callable[[], Attempt]:
        def begin() -> Attempt:
            (admin,) = loopback.free(1)
            path = self.settings.folder / f"envoy-{number}.json"
            write(path, configuration.bootstrap(self.settings, admin))
            command = [*words(self.command), *OPTIONS, *DRAINS, "--config-path", str(path)]
            return Attempt(command, lambda: loopback.ask(admin, "/ready")[0] == 200, (admin,))

        return begin

    def admins(self) -> list[Address]:
        return [ports[0] for ports in self.group.ready()]

    # ---- endpoints ----

    def show(self, replicas: Sequence[Pair]) -> None:
        """Send requests to these replicas from now on."""
        for name, content in configuration.endpoints(replicas).items():
            write(self.settings.folder / name, content)

    async def seen(self, present: Sequence[Pair], absent: Sequence[Pair] = ()) -> bool:
        """Wait until each process takes the first replicas for healthy, and does not know the others any more.

        False if that takes too long.
        """
        wanted, gone = ({address.port for pair in pairs for address in pair} for pairs in (present, absent))
        deadline = time.monotonic() + SEEN_WITHIN
        while time.monotonic() < deadline:
            known = await asyncio.gather(*(asyncio.to_thread(_known, admin) for admin in self.admins()))
            if all(wanted <= healthy and not gone & listed for healthy, listed in known):
                return True
            await asyncio.sleep(0.05)
        return False

    # ---- the end ----

    async def drain(self, turn_away: Callable[[], None]) -> None:
        """Let callers go: they close their connections, no new ones come, and requests in flight end."""
        try:
            write(
                self.settings.folder / configuration.ROUTES, routes.routes(self.settings.model, draining=True)
            )
        except OSError as error:  # a full disk: health checks do not see the end coming
            self.say(f"warning: {error}")
        await self._post("/drain_listeners?graceful&skip_exit")  # answers say `connection: close` from now on
        await asyncio.sleep(DRAIN)
        await asyncio.to_thread(turn_away)
        await self._post("/drain_listeners")
        deadline = time.monotonic() + IN_FLIGHT
        while await self._in_flight():
            if time.monotonic() > deadline:
                self.say("warning: requests that take longer than the limit are broken off")
                return
            await asyncio.sleep(0.1)

    async def _post(self, path: str) -> None:
        asked = (asyncio.to_thread(loopback.ask, admin, path, "POST") for admin in self.admins())
        await asyncio.gather(*asked)

    async def _in_flight(self) -> int:
        return sum(await asyncio.gather(*(asyncio.to_thread(_active, admin) for admin in self.admins())))


def _known(admin: Address) -> tuple[set[int], set[int]]:
    """The ports of the replicas that an Envoy takes for healthy, and of all that it knows."""
    status, body = loopback.ask(admin, "/clusters?format=json")
    clusters = json.loads(body)["cluster_statuses"] if status == 200 else []
    hosts = [host for one in clusters if one["name"] in (REST, GRPC) for host in one.get("host_statuses", [])]
    ports = {host["address"]["socket_address"]["port_value"]: host["health_status"] for host in hosts}
    return {port for port, health in ports.items() if health == HEALTHY}, set(ports)


def _active(admin: Address) -> int:
    """Requests in flight; none where the process is gone."""
    status, body = loopback.ask(admin, f"/stats?format=json&filter=%5E{ACTIVE}$")
    stats = json.loads(body).get("stats", []) if status == 200 else []
    return sum(int(one.get("value", 0)) for one in stats)


def write(path: Path, content: Any) -> None:
    """Replace the file at once, so that nobody reads half of it."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
