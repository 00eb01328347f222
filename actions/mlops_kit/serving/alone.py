"""One replica without a proxy, for a comparison or a measurement."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.project.contract import Contract
from mlops_kit.serving.address import Address
from mlops_kit.serving.preparation import Prepared
from mlops_kit.serving.replicas import Engine, Replicas

SECONDS = 60.0  # for a request
ENDS_WITHIN = 10.0  # seconds

Row = dict[str, Any]


@dataclass
class Alone:
    """A replica that is ready, and its process."""

    address: Address
    pid: int
    connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = HTTPConnection(self.address.host, self.address.port, timeout=SECONDS)

    def ask(self, body: bytes) -> list[Row]:
        """The answers to `body_of(rows)`, over a connection that stays. Raises KitError unless they are all there."""
        self.connection.request("POST", "/predict", body, {"content-type": "application/json"})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise KitError(
                f"The replica answers {answer.status} to test rows: {content[:500]!r}.",
                "`mlops-kit serve --workspace` starts one that you can ask.",
            )
        answers: list[Row] = json.loads(content)["predictions"]
        return answers


@asynccontextmanager
async def replica(prepared: Prepared, contract: Contract, root: Path, say: Say) -> AsyncIterator[Alone]:
    """Raises NeverReadyError if it does not start."""
    assert contract.serving
    engine = Engine(root, contract.model, contract.serving.replica, None, 1)
    replicas = Replicas(engine, prepared, lambda: None, lambda _: None, say)
    await replicas.group.start()
    try:
        child = replicas.group.keepers[0].child
        assert child
        alone = Alone(replicas.addresses()[0][0], child.process.pid)
        try:
            yield alone
        finally:
            alone.connection.close()
    finally:
        await replicas.group.stop(ENDS_WITHIN)


def body_of(rows: list[Row]) -> bytes:
    """A request for these rows."""
    return json.dumps({"rows": rows}, default=_as_json).encode()


def _as_json(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
