"""Which versions name a file by its md5: as data they were trained on, or as a model they are."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlops_kit.project import dvc_config, git_objects
from mlops_kit.project.lock import LOCK, object_path, parse_lock
from mlops_kit.project.repository import Repository
from mlops_kit.versions import record
from mlops_kit.versions.version import Version

Role = Literal["data", "artifacts"]


@dataclass(frozen=True)
class Made:
    """A version, and the record or, where it has none, the lock that says what it was made of."""

    version: Version
    text: bytes
    kind: str


def read(repository: Repository, known: list[Version]) -> list[Made]:
    sources, without_record = [], []
    names = [f"{version.commit}:{record.FILE}" for version in known]
    for version, text in zip(known, git_objects.read(repository, names), strict=True):
        if text is None:
            without_record.append(version)
        else:
            sources.append(Made(version, text, record.FILE))
    locks = git_objects.read(repository, [f"{version.commit}:{LOCK}" for version in without_record])
    pairs = zip(without_record, locks, strict=True)
    return sources + [Made(version, text, LOCK) for version, text in pairs if text is not None]


def using(sources: list[Made], md5: str) -> dict[Version, set[str]]:
    """How each version uses an md5: `data`, `artifacts` or both. Only texts that contain the md5 are parsed."""
    sought = md5.encode()
    return {
        source.version: names
        for source in sources
        if sought in source.text and (names := _names(source.text, source.kind, md5))
    }


def folders_with(repository: Repository, sources: list[Made], md5: str, role: Role) -> tuple[set[str], int]:
    """The folders in this role whose list in the cache has the md5, and the number of lists that are not in the cache."""
    folders = {
        str(file["md5"])
        for source in sources
        if source.kind == record.FILE and b".dir" in source.text
        for file in json.loads(source.text)[role]
        if file["md5"].endswith(".dir")
    }
    cache = Path(dvc_config.settings(repository).get("cache", "dir"))
    lists = {folder: object_path(cache, folder) for folder in folders}
    texts = {folder: path.read_text(encoding="utf-8") for folder, path in lists.items() if path.is_file()}
    return {folder for folder, text in texts.items() if md5 in text}, len(folders) - len(texts)


def _names(text: bytes, kind: str, md5: str) -> set[str]:
    if kind == LOCK:
        lock = parse_lock(text.decode())
        parts = {"data": lock.inputs.values(), "artifacts": lock.outs.values()}
        return {name for name, entries in parts.items() if any(entry.md5 == md5 for entry in entries)}
    content = json.loads(text)
    return {name for name in ("data", "artifacts") if any(file["md5"] == md5 for file in content[name])}
