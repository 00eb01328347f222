"""The provenance of a version: an in-toto statement with SLSA's predicate, which names what was made and of what.

Its subjects are the artifacts. Its byproducts are the other files of the version's commit, so that a signature of
the statement covers all of them.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_kit import VERSION
from mlops_kit.base import github_env
from mlops_kit.project.repository import Repository
from mlops_kit.versions.record import File, Record

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:mlops-kit:register:1"  # docs/reference/provenance.md says what its fields mean
BY_HAND = "urn:mlops-kit:workstation"  # the builder of a version that a person registered
MEASURED = {"sha256": "as measured by the training job"}


def statement(repository: Repository, complete: Record, files: Mapping[str, bytes]) -> bytes:
    """The statement about a version as JSON. `files` are the other files that its commit adds."""
    content = {
        "_type": STATEMENT,
        "subject": subjects(complete),
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "model": complete.model,
                    "version": complete.version,
                    "event": complete.trigger.event,
                },
                "resolvedDependencies": list(_materials(repository, complete)),
            },
            "runDetails": {
                "builder": {"id": _builder(), "version": {"mlops-kit": VERSION}},
                "metadata": {
                    "invocationId": complete.trigger.url or complete.trigger.run,
                    "finishedOn": complete.created,
                },
                "byproducts": [
                    {"name": path, "digest": {"sha256": sha256(text)}} for path, text in sorted(files.items())
                ],
            },
        },
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def subjects(complete: Record) -> list[dict[str, Any]]:
    """The artifacts with the hashes of the lock, and with the measured hashes of each file."""
    return [*_artifacts(complete), *_artifact_files(complete)]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest(md5: str) -> dict[str, str]:
    """A DVC hash as a digest set. A folder's hash is the md5 of a list, so it has another name."""
    if re.fullmatch(r"[0-9a-f]{32}", md5):
        return {"md5": md5}
    return {"dvcFolder": md5.removesuffix(".dir")} if md5.endswith(".dir") else {"etag": md5}


def _artifacts(complete: Record) -> Iterator[dict[str, Any]]:
    """The artifacts as the lock has them. One that is a file is named once, with its SHA-256."""
    measured = {one.path for one in complete.digests}
    for artifact in complete.artifacts:
        if artifact.path not in measured:
            yield {"name": artifact.path, "digest": digest(artifact.md5)}


def _artifact_files(complete: Record) -> Iterator[dict[str, Any]]:
    for one in complete.digests:
        hashes = {"md5": one.md5, "sha256": one.sha256}
        yield {"name": one.path, "digest": hashes, "annotations": MEASURED}


def _materials(repository: Repository, complete: Record) -> Iterator[dict[str, Any]]:
    """Code, data and the files that pin the environment."""
    code: dict[str, Any] = {"name": "code", "digest": {"gitCommit": complete.code.commit}}
    slug = github_env.repository() or repository.slug
    yield {"uri": f"git+{github_env.server_url()}/{slug}", **code} if slug else code
    yield from (_material(file) for file in complete.data)
    for path, value in sorted(complete.environment.files.items()):
        yield {"name": path, "digest": {"sha256": value}}


def _material(file: File) -> dict[str, Any]:
    return {"name": file.path, "digest": digest(file.md5)}


def _builder() -> str:
    workflow = github_env.workflow_ref() if github_env.on_runner() else ""
    return f"{github_env.server_url()}/{workflow}" if workflow else BY_HAND
