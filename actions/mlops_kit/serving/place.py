"""Where one server keeps its files: a folder of its own, so that servers of a repository do not disturb each other."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.serving.address import Address

FOLDER = Path(".mlops/serving")
USUAL = ("127.0.0.1", "0.0.0.0")  # which cannot have the same port twice


@dataclass(frozen=True)
class ServerPlace:
    """Relative to the root of the repository."""

    folder: Path  # routes and endpoints of the proxy
    targets: Path  # for Prometheus: `files: [".mlops/serving/targets-*.json"]` finds those of all servers


@contextmanager
def held(root: Path, address: Address) -> Iterator[ServerPlace]:
    """The place of the server at this address, which no other one gets inside the block.

    Raises KitError if another server has it, or nothing can be written there.
    """
    host = "" if address.host in USUAL else f"{address.host.replace(':', '.')}-"
    place = ServerPlace(FOLDER / f"port-{host}{address.port}", FOLDER / f"targets-{host}{address.port}.json")
    try:
        (root / place.folder).mkdir(parents=True, exist_ok=True)
        lock = (root / place.folder).with_suffix(".lock").open("w")
    except OSError as error:
        raise KitError(
            f"{root / place.folder} cannot be written: {error.strerror}.",
            "`serve` keeps its files there: make room, or give it to your user.",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise KitError(
                f"Another server of this repository has port {address.port}.",
                "Choose another one with --port, or stop it.",
            ) from error
        yield place
