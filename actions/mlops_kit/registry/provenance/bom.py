"""The bill of materials of a version, as CycloneDX 1.6 (an ML-BOM): model, data and packages, from record and lock files."""

import json
import re
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_kit import VERSION
from mlops_kit.data.metrics_file import all_metrics
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.versions.differences import SLICES
from mlops_kit.versions.record import Digest, File, Record

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
SERIALS = uuid.UUID("0f2c9f0e-6d0b-5d6a-9a3c-6a1f6f6f4a57")  # the namespace of our serial numbers
PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*==\s*([^\s;\\#,]+)", re.MULTILINE)
LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")  # TOML, with a table `package` for each


def bom(repository: Repository, contract: Contract, complete: Record) -> bytes:
    """The bill of materials of a version as JSON. The same record gives the same bytes."""
    packages = list(_packages(_pins(repository, complete)))
    data = [_data(file) for file in complete.data]
    serial = uuid.uuid5(SERIALS, f"{complete.model} {complete.version} {complete.identity.model_dump_json()}")
    content = {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": complete.created,
            "tools": {"components": [{"type": "application", "name": "mlops-kit", "version": VERSION}]},
            "component": _model(contract, complete),
        },
        "components": [*data, *packages],
        "dependencies": [
            {"ref": _ref(complete), "dependsOn": [one["bom-ref"] for one in (*data, *packages)]}
        ],
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _ref(complete: Record) -> str:
    return f"model:{complete.model}@{complete.version}"


def _model(contract: Contract, complete: Record) -> dict[str, Any]:
    parameters: dict[str, Any] = {"datasets": [{"ref": f"data:{file.path}"} for file in complete.data]}
    if contract.predictions:
        parameters |= {"approach": {"type": "supervised"}, "task": contract.predictions.task}
    whole = {
        name: one
        for name, one in all_metrics(complete.metrics).items()
        if one.is_number and not name.startswith(f"{SLICES}.")
    }
    metrics = []
    for name, one in whole.items():
        metric: dict[str, Any] = {"type": name, "value": repr(one.value)}
        if one.low is not None and one.high is not None:
            metric["confidenceInterval"] = {"lowerBound": repr(one.low), "upperBound": repr(one.high)}
        metrics.append(metric)
    files = [_file(complete, one) for one in complete.digests]
    return {
        "type": "machine-learning-model",
        "bom-ref": _ref(complete),
        "name": complete.model,
        "version": complete.version,
        "modelCard": {
            "modelParameters": parameters,
            "quantitativeAnalysis": {"performanceMetrics": metrics},
        },
        "properties": [
            {"name": "mlops-kit:commit", "value": complete.code.commit},
            *({"name": f"mlops-kit:artifact:{one.path}", "value": one.md5} for one in complete.artifacts),
        ],
        **({"components": files} if files else {}),
    }


def _file(complete: Record, one: Digest) -> dict[str, Any]:
    hashes = [{"alg": "MD5", "content": one.md5}, {"alg": "SHA-256", "content": one.sha256}]
    return {"type": "file", "bom-ref": f"{_ref(complete)}:{one.path}", "name": one.path, "hashes": hashes}


def _data(file: File) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "data",
        "bom-ref": f"data:{file.path}",
        "name": file.path,
        "data": [{"type": "dataset", "name": file.path}],
    }
    if re.fullmatch(r"[0-9a-f]{32}", file.md5):
        component["hashes"] = [{"alg": "MD5", "content": file.md5}]
    else:
        component["properties"] = [{"name": "mlops-kit:dvc", "value": file.md5}]
    return component


def _packages(pins: Mapping[str, set[str]]) -> Iterator[dict[str, Any]]:
    for name, versions in sorted(pins.items()):
        for version in sorted(versions):
            purl = f"pkg:pypi/{name}@{version}"
            yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _pins(repository: Repository, complete: Record) -> dict[str, set[str]]:
    """The versions of each Python package that the lock files of the commit pin. The project itself is left out."""
    pins: dict[str, set[str]] = {}
    for path in complete.environment.files:
        text = repository.show(complete.code.commit, path) or ""
        for name, version in _of_lock(text) if path.rpartition("/")[2] in LOCKS else PINNED.findall(text):
            pins.setdefault(re.sub(r"[-_.]+", "-", name).lower(), set()).add(version)
    return pins


def _of_lock(text: str) -> Iterator[tuple[str, str]]:
    """Name and version of each package of a lock file in TOML; none if it cannot be read."""
    try:
        packages = tomllib.loads(text).get("package")
    except tomllib.TOMLDecodeError:
        return
    for one in packages if isinstance(packages, list) else ():
        facts = one if isinstance(one, dict) else {}
        name, version, source = (facts.get(key) for key in ("name", "version", "source"))
        own = isinstance(source, dict) and {"virtual", "editable", "directory"} & source.keys()
        if isinstance(name, str) and isinstance(version, str) and not own:
            yield name, version
