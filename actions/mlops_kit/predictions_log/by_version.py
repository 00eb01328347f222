"""Which lines of the predictions log the version in use has written: what another one predicted says nothing of it."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.base.errors import KitError
from mlops_kit.predictions_log import lines
from mlops_kit.project import snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.versions import version as versions

NUMBERED, HASHED = r"^v\d+\.\d+\.\d+$", "md5:"


def only(
    repository: Repository, contract: Contract, facts: pa.Table | None, version: str
) -> tuple[pa.Table | None, list[str]]:
    """`facts` of the log without the lines that name another version or another model file, and what is not known of them.

    Lines that name none, or in words of their own, are kept; so is all where `version` is empty.
    """
    if facts is None or not version:
        return facts, []
    named, notes = facts["version"], []
    ours = [version]
    if pc.any(lines.by_value(named, lambda texts: pc.starts_with(texts, HASHED))).as_py():
        try:
            ours += [HASHED + md5 for md5 in _model_files(repository, contract, version)]
        except KitError as error:
            notes = [f"which lines are of {version} is not known, so all are taken: {error.what}"]
    models = NUMBERED if notes else f"{NUMBERED}|^{HASHED}"

    def are_ours(texts: pa.Array) -> pa.Array:
        return pc.or_(pc.is_in(texts, pa.array(ours)), pc.invert(pc.match_substring_regex(texts, models)))

    return lines.only(facts, pc.fill_null(lines.by_value(named, are_ours), True)), notes


def _model_files(repository: Repository, contract: Contract, version: str) -> list[str]:
    """md5 of each file of the version's artifacts."""
    tag = versions.find(repository, contract.model, version).tag
    with TemporaryDirectory(prefix="mlops-kit-") as folder:
        made = snapshot.take(repository, tag, Path(folder), contract.commands.dvc)
        return [md5 for path in made.contract.artifacts for md5 in made.md5s(path)]
