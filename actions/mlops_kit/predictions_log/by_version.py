"""Select the lines of a predictions log that a version wrote: those of other versions say nothing about it."""

import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.base import temporary
from mlops_kit.base.errors import KitError
from mlops_kit.predictions_log import lines
from mlops_kit.project import snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.versions import version as versions

NUMBERED, HASHED = r"^v\d+\.\d+\.\d+$", "md5:"


def only(
    repository: Repository, contract: Contract, facts: pa.Table, version: str
) -> tuple[pa.Table, list[str]]:
    """The lines without those that name another version or another model file; and notes.

    Lines that name no version, or name it in another form, are kept. If `version` is empty, all lines are.
    """
    if not version:
        return facts, []
    named_versions, notes = facts["version"], []
    own_names = [version]
    if pc.any(lines.by_value(named_versions, lambda texts: pc.starts_with(texts, HASHED))).as_py():
        try:
            own_names += [HASHED + md5 for md5 in _model_files(repository, contract, version)]
        except KitError as error:
            notes = [f"which lines are of {version} is not known, so all are taken: {error.what}"]
    version_names = NUMBERED if notes else f"{NUMBERED}|^{HASHED}"

    def are_ours(texts: pa.Array) -> pa.Array:
        return pc.or_(
            pc.is_in(texts, pa.array(own_names)), pc.invert(pc.match_substring_regex(texts, version_names))
        )

    return lines.only(facts, pc.fill_null(lines.by_value(named_versions, are_ours), True)), notes


def _model_files(repository: Repository, contract: Contract, version: str) -> list[str]:
    """The md5 of each file of the version's artifacts."""
    tag = versions.find(repository, contract.model, version).tag
    with temporary.folder() as folder:
        earlier = snapshot.take(repository, tag, folder, contract.commands.dvc)
        return [md5 for path in earlier.contract.artifacts for md5 in earlier.md5s(path)]
