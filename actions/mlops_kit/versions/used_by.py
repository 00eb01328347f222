"""Which versions name a file by its md5: as data they were trained on, or as a model they are."""

import json
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.project import dvc_config, git_objects
from mlops_kit.project.lock import LOCK, object_path, parse_lock
from mlops_kit.project.repository import Repository
from mlops_kit.versions import record
from mlops_kit.versions.version import Version


@dataclass(frozen=True)
class Made:
    """A version, and the record or, where it has none, the lock that says what it was made of."""

    version: Version
    text: bytes
    kind: str


def read(repository: Repository, known: list[Version]) -> list[Made]:
    found, without = [], []
    names = [f"{version.commit}:{record.FILE}" for version in known]
    for version, text in zip(known, git_objects.read(repository, names), strict=True):
        if text is None:
            without.append(version)
        else:
            found.append(Made(version, text, record.FILE))
    locks = git_objects.read(repository, [f"{version.commit}:{LOCK}" for version in without])
    pairs = zip(without, locks, strict=True)
    return found + [Made(version, text, LOCK) for version, text in pairs if text is not None]


def using(made: list[Made], md5: str) -> dict[Version, set[str]]:
    """`data` or `artifacts`, by version. Only what the md5 stands in is parsed."""
    sought = md5.encode()
    return {
        one.version: names
        for one in made
        if sought in one.text and (names := _names(one.text, one.kind, md5))
    }


def folders_with(repository: Repository, made: list[Made], md5: str) -> tuple[set[str], int]:
    """Folders of data that hold a file, by the lists in the cache; and how many lists are not there."""
    folders = {
        str(file["md5"])
        for one in made
        if one.kind == record.FILE and b".dir" in one.text.partition(b'"parameters": ')[0]
        for file in json.loads(one.text)["data"]
        if file["md5"].endswith(".dir")
    }
    cache = Path(dvc_config.settings(repository).get("cache", "dir"))
    lists = {folder: object_path(cache, folder) for folder in folders}
    here = {folder: path.read_text(encoding="utf-8") for folder, path in lists.items() if path.is_file()}
    return {folder for folder, text in here.items() if md5 in text}, len(folders) - len(here)


def _names(text: bytes, kind: str, md5: str) -> set[str]:
    if kind == LOCK:
        lock = parse_lock(text.decode())
        parts = {"data": lock.inputs.values(), "artifacts": lock.outs.values()}
        return {name for name, entries in parts.items() if any(entry.md5 == md5 for entry in entries)}
    made = json.loads(text)
    return {name for name in ("data", "artifacts") if any(file["md5"] == md5 for file in made[name])}
