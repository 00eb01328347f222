"""Where Prometheus finds the metrics of this server: a file for `file_sd_configs`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_kit.serving.address import Address
from mlops_kit.serving.envoy.proxy import write

# Without what nothing used yet: a tenth of the size.
PROXY_METRICS = {"__metrics_path__": "/stats/prometheus", "__param_usedonly": "1"}


def write_targets(
    path: Path, model: str, replicas: Mapping[str, Sequence[Address]], proxies: Sequence[Address]
) -> None:
    """`replicas`: by version, where each has its metrics."""
    groups: list[dict[str, Any]] = [
        _group(addresses, {"role": "replica", "model": model, "version": version})
        for version, addresses in replicas.items()
    ]
    groups.append(_group(proxies, {"role": "proxy", "model": model, **PROXY_METRICS}))
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, groups)


def _group(addresses: Sequence[Address], labels: dict[str, str]) -> dict[str, Any]:
    return {"targets": [str(address) for address in addresses], "labels": labels}
