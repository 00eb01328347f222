"""The replicas of one version: processes of the engine that answer on ports of this machine."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.base.processes import words
from mlops_kit.base.progress import Say
from mlops_kit.serving import loopback
from mlops_kit.serving.address import Address
from mlops_kit.serving.keeper import Attempt, Keeper, Programs
from mlops_kit.serving.preparation import Prepared
from mlops_kit.serving.processes import Program


@dataclass(frozen=True)
class Engine:
    """How a replica is started, whatever its version."""

    root: Path
    model: str
    command: str
    log: Path | None  # folder of the predictions log
    count: int


class Replicas:
    def __init__(
        self,
        engine: Engine,
        prepared: Prepared,
        changed: Callable[[], None],
        broke: Callable[[str], None],
        say: Say,
    ) -> None:
        self.engine, self.deployment = engine, prepared.deployment
        environment = prepared.environment()
        programs = [
            Program(f"replica {number}", engine.root, environment) for number in range(1, engine.count + 1)
        ]
        self.group = Programs([Keeper(program, self._begin, changed, say) for program in programs], broke)

    def _begin(self) -> Attempt:
        http, grpc, metrics = ports = tuple(loopback.free(3))
        ready = f"/v2/models/{self.engine.model}/ready"
        command = [*words(self.engine.command), *self._arguments(http, grpc, metrics)]
        return Attempt(command, lambda: loopback.ask(http, ready)[0] == 200, ports)

    def _arguments(self, http: Address, grpc: Address, metrics: Address) -> list[str]:
        one = self.deployment
        return [
            *("--root", str(one.folder), "--model", self.engine.model, "--version", one.version),
            *("--predict", one.predict, "--log", str(self.engine.log or "")),
            *(
                "--http-port",
                str(http.port),
                "--grpc-port",
                str(grpc.port),
                "--metrics-port",
                str(metrics.port),
            ),
        ]

    def addresses(self) -> list[tuple[Address, Address]]:
        """Of each replica that is ready, where it answers REST and gRPC."""
        return [(ports[0], ports[1]) for ports in self.group.ready()]

    def metrics(self) -> list[Address]:
        return [ports[2] for ports in self.group.ready()]
