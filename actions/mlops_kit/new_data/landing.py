"""Data that lands as files in a folder or bucket."""

import json
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.data.storage import DataRefused, Landed, Place
from mlops_kit.data.tables import PARQUET, TEXT
from mlops_kit.new_data import accept
from mlops_kit.new_data.result import STAGE, NotYet, WatchResult
from mlops_kit.new_data.source import NothingNew, Source
from mlops_kit.new_data.undo import kept
from mlops_kit.project import commits
from mlops_kit.project.lock import file_md5
from mlops_kit.runs import log

INCOMING = Path(".mlops/incoming")


def take(source: Source) -> WatchResult:
    """Moves the pointer to what landed, and pushes it.

    Raises NothingNew, NotYet or DataRefused with the workspace as it was.
    """
    place = Place(source.watch.folder or "", source.repository.root)
    landed = [] if place.is_empty() else place.files(source.watch.pattern)
    if not landed and _took_before(source):
        raise DataRefused(f"{source.name} is empty now: what was taken from there vanished")
    if not landed:
        raise NothingNew(f"nothing has landed in {source.name}")
    if source.watch.mode == "collect":
        return _collect(source, place, landed)
    return _replace(source, place, landed[-1])


def _took_before(source: Source) -> bool:
    """True if data was taken from here before. Always False for `mode: collect`, where the folder may be emptied."""
    if source.watch.mode == "collect":
        return False
    taken = {"stage": STAGE, "status": "found", "pointer": source.watch.pointer, "source": source.name}
    return any(taken.items() <= event.items() for event in log.read(source.repository).every())


# ---- the newest file is the data ----


def _replace(source: Source, place: Place, newest: Landed) -> WatchResult:
    was = source.entry
    if Path(newest.name).suffix != Path(was.path).suffix and _is_table(was.path):
        raise DataRefused(f"{newest.name} is another format than {was.path}")
    file, md5 = _bring(source, place, newest, Path(was.path).suffix)
    if md5 == was.md5:
        raise NothingNew(f"{newest.name} holds the same content again")
    rows_before = accept.rows_now(source.repository, source.contract, was.path, was.md5)
    rows = accept.accept(source.repository, source.contract, file, newest.name)
    if not source.dry:
        with kept(source.repository, source.watch.pointer, was.path) as before:
            before.place(file, source.path)
            source.dvc("commit", "--quiet", "--force", source.watch.pointer)
            _check_hash(source, md5)
            source.not_waiting()
            source.push()
    says = f"new data: {newest.name}"
    facts = (was.path, was.md5, md5, rows_before, rows)
    return WatchResult(source.watch.pointer, source.name, "found", says, *facts)


def _check_hash(source: Source, md5: str) -> None:
    if source.entry.md5 != md5:
        raise KitError(
            f"DVC recorded {source.entry.md5} for data with the md5 {md5}; the pointer was put back.",
            "Something changed the data meanwhile: look again.",
        )


# ---- every new file is added ----


def _collect(source: Source, place: Place, landed: list[Landed]) -> WatchResult:
    was = source.entry
    if not was.md5.endswith(".dir"):
        raise KitError(
            f"{source.watch.pointer} names a file, and `mode: collect` adds to a folder.",
            "`dvc add` a folder, or say `mode: replace` in new_data.watch.",
        )
    new = _new_files(source, place, landed)
    if not new:
        raise NothingNew(f"{source.name} holds nothing that {was.path} does not have")
    counts = [accept.accept(source.repository, source.contract, file, name) for name, file in new.items()]
    rows_before = accept.rows_now(source.repository, source.contract, was.path, was.md5)
    if not source.dry:
        _add(source, new)
    facts = (was.path, was.md5, source.entry.md5, rows_before, _sum(rows_before, counts))
    return WatchResult(source.watch.pointer, source.name, "found", f"new data: {', '.join(new)}", *facts)


def _new_files(source: Source, place: Place, landed: list[Landed]) -> dict[str, Path]:
    """Fetch the new files and return their local paths by name. Content that is known under another name is not new."""
    known = _known_hashes(source)
    new = {}
    for landed_file in _candidates(source, landed, known):
        file, md5 = _bring(source, place, landed_file, Path(landed_file.name).suffix)
        if known.get(landed_file.name) != md5 and (landed_file.name in known or md5 not in known.values()):
            new[landed_file.name] = file
            known[landed_file.name] = md5
    return new


def _known_hashes(source: Source) -> dict[str, str]:
    """The md5 of each file in the pointer's folder, by name. DVC lists them without fetching them."""
    listed = source.dvc("list", ".", source.entry.path, "--json", "--show-hash", "--recursive", "--dvc-only")
    return {one["path"]: one.get("md5") or "" for one in json.loads(listed[listed.index("[") :])}


def _candidates(source: Source, landed: list[Landed], known: dict[str, str]) -> list[Landed]:
    """Names that are not known, and known ones that changed after the pointer was last committed."""
    commits.deepen(source.repository)
    timestamp = source.repository.git("log", "-1", "--format=%ct", "--", source.watch.pointer).strip()
    committed = float(timestamp or 0)
    return [one for one in landed if one.name not in known or (one.modified or 0) > committed]


def _add(source: Source, new: dict[str, Path]) -> None:
    """Add the files to the folder and push them. DVC does not need the folder's other files for that."""
    was_here = source.path.is_dir() and file_md5(source.path) == source.entry.md5
    with kept(source.repository, source.watch.pointer, source.entry.path) as before:
        for name, file in new.items():
            before.place(file, source.path / name)
        targets = [f"{source.entry.path}/{name}" for name in new]
        source.dvc("add", "--quiet", *targets)
        source.not_waiting()
        source.push()
        if not was_here:  # a training wants the whole folder
            source.bring()


def _sum(before: int | None, added: list[int | None]) -> int | None:
    known = [n for n in added if n is not None]
    return None if before is None or len(known) < len(added) else before + sum(known)


# ---- both ----


def _bring(source: Source, place: Place, landed: Landed, suffix: str) -> tuple[Path, str]:
    """Fetch the file and return its local path and md5. Raises NotYet if it may still be written."""
    if not landed.settled(source.watch.settle_seconds):
        raise NotYet(
            f"{landed.name} landed under {source.watch.settle_seconds:g} s ago: half-written, it waits"
        )
    to = source.repository.root / INCOMING / Path(landed.name).with_suffix(suffix)
    md5 = place.fetch(landed, to)
    again = place.again(landed)
    if again is None:
        raise DataRefused(f"{landed.name} vanished while it was read")
    if again != landed or to.stat().st_size != landed.size:
        raise NotYet(f"{landed.name} grew while it was read: half-written, it waits")
    return to, md5


def _is_table(path: str) -> bool:
    return Path(path).suffix in (*PARQUET, *TEXT)
