"""A registry server as a mirror of the versions: what it is told, and the tier's command that tells it.

The tags are the truth. The command compares its server with the history and writes what is missing, so that a
server which was away, or is new, is brought up to date by the next call.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_kit.base import notices, temporary
from mlops_kit.base.errors import SAYS_NO, KitError
from mlops_kit.base.markdown import one_line
from mlops_kit.base.processes import Heard, ProcessError, follow, words
from mlops_kit.data.metrics_file import all_metrics
from mlops_kit.project import commits, dvc_config, git_objects
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events
from mlops_kit.versions import foreign, lineage
from mlops_kit.versions.record import Record
from mlops_kit.versions.stages import stages_by_commit

GIVEN = "MLOPS_HISTORY"  # the file that holds the history, for the command


def sync(repository: Repository, contract: Contract, heard: Heard, **more: str) -> bool:
    """Run the tier's command. Returns False if the registry contradicts the tags.

    Raises KitError where no tier is on, and when the command fails.
    """
    if contract.registry is None:
        raise KitError(
            "No registry is connected: mlops.yaml and mlops.d/ have no `registry.sync`.",
            "`mlops-new add registry` brings one; mlops-new's page docs/how-to/extend.md shows how to connect yours.",
        )
    try:
        commits.remote_tip(repository, events.BRANCH)  # fetched for its rejected models
    except KitError:
        heard("rejected models: those that are here")
    with temporary.folder() as folder:
        file = folder / "history.json"
        payload = history(repository, contract) | {"dvc_config": dvc_config.settings_file(repository, folder)}
        file.write_text(json.dumps(payload, default=str), encoding="utf-8")
        try:
            command = words(contract.registry.sync)
            follow(command, repository.root, heard, **{**more, GIVEN: str(file)})
        except ProcessError as error:
            if error.code == SAYS_NO:
                return False
            raise KitError(
                f"The registry is behind: {error.last_words(1)}",
                "Versions and stages are as they were. `mlops-kit registry sync` brings it up to date later.",
            ) from error
    return True


def history(repository: Repository, contract: Contract) -> dict[str, Any]:
    """Every version with its record, the oldest first, the stages as they are now, and the rejected models."""
    book = lineage.book(repository, contract.model)
    stages = stages_by_commit(book.ordered)
    by_commit = {version.commit: version.name for version in book.versions}
    version_by_stage = {stage: by_commit.get(commit) for commit, names in stages.items() for stage in names}
    records = lineage.records(repository, book.versions)
    return {
        "model": contract.model,
        "root": str(repository.root),
        "dvc": words(contract.commands.dvc),
        "cache": dvc_config.settings(repository).get("cache", "dir", fallback=""),
        "stages": {stage: version for stage, version in version_by_stage.items() if version},
        "versions": [
            {
                "version": one.name,
                "tag": one.tag,
                "commit": one.commit,
                "created": one.created,
                **_content(version_record),
            }
            for one, version_record in zip(book.versions, records, strict=True)
        ],
        "rejected": [
            {"run": run, **_content(version_record)} for run, version_record in rejected(repository)
        ],
    }


def _content(version_record: Record | None) -> dict[str, Any]:
    """The record and its metrics by dotted path; the record is None for a version that the kit did not make."""
    if version_record is None:
        return {"record": None, "figures": {}}
    metrics = {
        name: asdict(one) for name, one in all_metrics(version_record.metrics).items() if one.is_number
    }
    return {"record": version_record.model_dump(), "figures": metrics}


def rejected(repository: Repository) -> Iterator[tuple[str, Record]]:
    """Run and record of each rejected model, oldest first: fetched ones and those of this clone."""
    kept = (repository.root / events.REJECTED).glob("*.json")
    texts_by_run = {path.stem: path.read_text("utf-8", "replace") for path in kept}
    refs = (f"refs/remotes/origin/{events.BRANCH}", f"refs/heads/{events.BRANCH}")
    if tip := next((ref for ref in refs if commits.tip(repository, ref)), None):
        listed = repository.git("ls-tree", "--name-only", tip, "rejected/").splitlines()
        texts = git_objects.read(repository, [f"{tip}:{name}" for name in listed])
        texts_by_run |= {
            Path(name).stem: (text or b"").decode(errors="replace")
            for name, text in zip(listed, texts, strict=True)
        }
    found = {run: foreign.parsed(text) for run, text in texts_by_run.items()}
    for run, why in found.items():
        if isinstance(why, str):
            notices.note(f"The rejected model of run {one_line(run, 80)} is left out: {why}.")
    records = [(run, one) for run, one in found.items() if not isinstance(one, str)]
    yield from sorted(records, key=lambda pair: pair[1].created)
