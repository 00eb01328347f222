"""Which lines of the predictions log the version in use has written: what another one predicted says nothing of it."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit import past, versions
from mlops_kit.contract import Contract
from mlops_kit.errors import KitError
from mlops_kit.repository import Repository

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
    other = pc.and_(pc.match_substring_regex(named, NUMBERED), pc.not_equal(named, version))
    hashed = pc.fill_null(pc.starts_with(named, HASHED), False)
    if pc.any(hashed).as_py():
        try:
            ours = pa.array([HASHED + md5 for md5 in _model_files(repository, contract, version)])
            other = pc.or_(other, pc.and_(hashed, pc.invert(pc.is_in(named, ours))))
        except KitError as error:
            notes = [f"which lines are of {version} is not known, so all are taken: {error.what}"]
    other = pc.fill_null(other, False)
    return (facts.filter(pc.invert(other)) if pc.any(other).as_py() else facts), notes


def _model_files(repository: Repository, contract: Contract, version: str) -> list[str]:
    """md5 of each file of the version's artifacts."""
    tag = versions.named(repository, contract.model, version).tag
    with TemporaryDirectory(prefix="mlops-kit-") as folder:
        made = past.at(repository, tag, Path(folder), contract.commands.dvc)
        return [md5 for path in made.contract.artifacts for md5 in made.md5s(path)]
