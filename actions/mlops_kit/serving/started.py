"""What a server says once it answers: its address, its version, and a request to try."""

import json
import shlex
from dataclasses import dataclass

from mlops_kit.serving import loopback
from mlops_kit.serving.address import Address

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True)
class Started:
    address: str
    version: str  # empty for the workspace
    replicas: int
    try_it: str  # a command for a shell
    targets: str  # file for Prometheus

    @property
    def says(self) -> str:
        what = self.version or "the workspace"
        return (
            f"{what} answers at {self.address} ({counted(self.replicas)}). To try it:\n\n  {self.try_it}\n\n"
            f"Prometheus finds its targets in {self.targets}. Ctrl-C stops the server."
        )


def counted(replicas: int) -> str:
    return "1 replica" if replicas == 1 else f"{replicas} replicas"


def request_to_try(model: str, public: Address, replica: Address) -> str:
    """A curl line with the example that the replica has, or one for the model's metadata."""
    url = Address(ANY.get(public.host, public.host), public.port).url
    path = f"/v2/models/{model}"
    example = _example(loopback.ask(replica, path)[1])
    if example is None:
        return f"curl {url}{path}"
    words = ["curl", f"{url}/predict", "-H", "content-type: application/json", "-d", json.dumps(example)]
    return shlex.join(words)


def _example(metadata: bytes) -> object:
    """`parameters.example` of the metadata: an object, or its JSON as text; None if there is none."""
    try:
        example = json.loads(metadata)["parameters"]["example"]
        return json.loads(example) if isinstance(example, str) else example
    except (ValueError, KeyError, TypeError):
        return None
