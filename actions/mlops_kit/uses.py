"""Which versions name a file by its md5: as data they were trained on, or as a model they are."""

import json
from collections.abc import Iterator
from pathlib import Path

from mlops_kit import blobs, past, record
from mlops_kit.repository import LOCK, Repository, parse_lock
from mlops_kit.versions import Version


def using(repository: Repository, known: list[Version], md5: str) -> dict[Version, set[str]]:
    """`data` or `artifacts`, by version. Only records in which the md5 stands are parsed."""
    sought, found = md5.encode(), {}
    for version, text, kind in _texts(repository, known):
        if sought in text and (names := _names(text, kind, md5)):
            found[version] = names
    return dict(sorted(found.items(), key=lambda one: one[0].number))


def folders_with(repository: Repository, known: list[Version], md5: str) -> tuple[set[str], int]:
    """Folders of data that hold a file, by the lists in the cache; and how many lists are not there."""
    folders = {
        str(file["md5"])
        for _, text, kind in _texts(repository, known)
        if kind == record.FILE and b".dir" in text
        for file in json.loads(text)["data"]
        if file["md5"].endswith(".dir")
    }
    cache = Path(past.settings(repository).get("cache", "dir")) / "files/md5"
    lists = {folder: cache / folder[:2] / folder[2:] for folder in folders}
    here = {folder: path.read_text(encoding="utf-8") for folder, path in lists.items() if path.is_file()}
    return {folder for folder, text in here.items() if md5 in text}, len(folders) - len(here)


def _texts(repository: Repository, known: list[Version]) -> Iterator[tuple[Version, bytes, str]]:
    """The record of each version; where it has none, its lock."""
    without = []
    names = [f"{version.commit}:{record.FILE}" for version in known]
    for version, text in zip(known, blobs.read(repository, names), strict=True):
        if text is None:
            without.append(version)
        else:
            yield version, text, record.FILE
    locks = blobs.read(repository, [f"{version.commit}:{LOCK}" for version in without])
    for version, text in zip(without, locks, strict=True):
        if text is not None:
            yield version, text, LOCK


def _names(text: bytes, kind: str, md5: str) -> set[str]:
    if kind == LOCK:
        lock = parse_lock(text.decode())
        parts = {"data": lock.inputs.values(), "artifacts": lock.outs.values()}
        return {name for name, entries in parts.items() if any(entry.md5 == md5 for entry in entries)}
    made = json.loads(text)
    return {name for name in ("data", "artifacts") if any(file["md5"] == md5 for file in made[name])}
