"""How long a request of one row takes through the engine, without the time in which nothing had a processor."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.data import tables
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.serving.alone import body_of, replica
from mlops_kit.serving.preparation import Preparation, Prepared

WARM_UP = 20  # requests before the first timed one


def measure(repository: Repository, contract: Contract, rows: Path, calls: int, say: Say) -> list[float]:
    """Seconds of each request to a replica of the workspace, one row after the other, from the first again.

    Raises KitError if there is no row, or nothing can be served.
    """
    asked = tables.read(rows).slice(0, calls).to_pylist()
    if not asked:
        raise KitError(f"{rows} has no rows.", "Train, or pull the test rows.")
    prepared = Preparation(repository, contract, say).workspace()
    bodies = [body_of([row]) for row in asked]
    return asyncio.run(_measured(prepared, contract, repository.root, bodies, calls, say))


async def _measured(
    prepared: Prepared, contract: Contract, root: Path, bodies: list[bytes], calls: int, say: Say
) -> list[float]:
    async with replica(prepared, contract, root, say) as alone:
        say(f"ask for {calls} predictions")

        def timed() -> list[float]:
            asked = islice(cycle(bodies), WARM_UP + calls)
            return [_seconds(alone.pid, partial(alone.ask, body)) for body in asked][WARM_UP:]

        return await asyncio.to_thread(timed)


def _seconds(pid: int, call: Callable[[], object]) -> float:
    """Seconds of a call, without those in which the replica or this thread waited for a processor."""
    before, start = _waited(pid), time.perf_counter()
    call()
    took, after = time.perf_counter() - start, _waited(pid)
    waits = [total - before.get(thread, 0.0) for thread, total in after.items()]
    return max(took - sum(waits), 0.0)


def _waited(pid: int) -> dict[Path, float]:
    """Of the replica's main thread and of this one: seconds in which it could have run but had no processor.

    The replica answers in its main thread. Empty where the system does not say.
    """
    found = {}
    for file in (Path(f"/proc/{pid}/task/{pid}/schedstat"), Path("/proc/thread-self/schedstat")):
        with suppress(OSError):
            found[file] = int(file.read_text("ascii").split()[1]) / 1e9
    return found
