"""Objects in DVC's cache and remote: which are stored, which are needed, and which this repository ever named."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError, run_within, words
from mlops_kit.project import git_objects
from mlops_kit.project.dvc_config import settings
from mlops_kit.project.lock import LOCK, object_path
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import STALL, said_by_dvc

MD5 = re.compile(r"\b[0-9a-f]{32}(?:\.dir)?\b")
RECORDS = ("record.json", ".jsonl")  # the names of files that name data, beside locks and pointers
LISTED = re.compile(r"(?:(?P<size>\S+)\s+)?(?P<path>[0-9a-f]{2}/[0-9a-f]{30}(?:\.dir)?)$")
SHOWN = 20  # objects in a list for a person


@dataclass(frozen=True)
class Stored:
    """Where objects are stored: each with its size, in bytes or in DVC's words."""

    place: str  # the cache, the remote NAME (URL)
    objects: dict[str, int | str]

    def without(self, kept: set[str]) -> "Stored":
        return Stored(self.place, {md5: size for md5, size in self.objects.items() if md5 not in kept})

    @property
    def text(self) -> str:
        """How many there are, and a list with sizes."""
        if not self.objects:
            return f"{self.place}: nothing to delete."
        count = f"{len(self.objects)} object{'s' * (len(self.objects) != 1)}"
        sizes = [size for size in self.objects.values() if isinstance(size, int)]
        total = f", {sum(sizes):,} bytes" if len(sizes) == len(self.objects) else ""
        lines = [f"{self.place}: {count}{total}"]
        for md5, size in list(self.objects.items())[:SHOWN]:
            lines.append(f"  {md5}  {f'{size:,} bytes' if isinstance(size, int) else size}")
        more = len(self.objects) - SHOWN
        return "\n".join([*lines, *([f"  and {more} more"] if more > 0 else [])])


def in_cache(repository: Repository) -> Stored:
    return Stored("the cache", _in_folder(_cache(repository)))


def is_shared(repository: Repository) -> bool:
    """True if the cache is outside of this clone, so that other clones may use it."""
    return not _cache(repository).resolve().is_relative_to(repository.root.resolve())


def in_remote(repository: Repository, dvc: str) -> Stored:
    """Raises KitError if there is no remote, or if it cannot be listed."""
    remote = repository.remote
    if remote is None:
        raise KitError("There is no default DVC remote to delete from.", "Leave out --cloud.")
    place = f"the remote {remote.name} ({remote.shown})"
    if folder := _remote_folder(repository):
        return Stored(place, _in_folder(folder))
    listing = [*words(dvc), "list-url", f"remote://{remote.name}/files/md5", "--recursive", "--size"]
    try:
        lines = run_within(listing, repository.root, stall=STALL).splitlines()
    except ProcessError as error:
        raise KitError(
            f"{place} cannot be listed, so nothing is deleted: {said_by_dvc(error)}",
            "Is it reachable from here, and are you logged in? `mlops-kit doctor` looks.",
        ) from error
    found = [match for line in lines if (match := LISTED.search(line.strip()))]
    return Stored(place, {one["path"].replace("/", ""): one["size"] or "" for one in found})


def needed(repository: Repository) -> set[str]:
    """What the workspace and the tip of each branch and tag name."""
    return _with_members(repository, {*_in_git(repository, "--no-walk"), *_in_workspace(repository)})


def ever_named(repository: Repository) -> set[str]:
    """What any commit of this clone named, the workspace names, or DVC made here."""
    made = (repository.root / ".dvc/cache/runs").rglob("*")
    texts = [_text(path) for path in made if path.is_file()]
    names = {*_in_git(repository), *_in_workspace(repository), *_md5s(texts)}
    return _with_members(repository, names)


def _in_git(repository: Repository, *how: str) -> set[str]:
    listed = repository.git("rev-list", "--objects", "--all", *how).splitlines()
    blobs = [line.split(" ", 1)[0] for line in listed if line.endswith((LOCK, ".dvc", *RECORDS))]
    contents = git_objects.read(repository, blobs) if blobs else iter(())
    return set(_md5s(content.decode(errors="replace") for content in contents if content))


def _in_workspace(repository: Repository) -> set[str]:
    listed = repository.git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    paths = {LOCK, ".mlops/sample.lock", *(path for path in listed if path.endswith((LOCK, ".dvc")))}
    return set(_md5s(_text(repository.root / path) for path in paths))


def _with_members(repository: Repository, names: set[str]) -> set[str]:
    """Also the files of folders, whose lists are in the cache or in a remote that is a folder."""
    members: set[str] = set()
    for name in names:
        if name.endswith(".dir"):
            members |= _members(repository, name)
    return names | members


def _members(repository: Repository, name: str) -> set[str]:
    for folder in (_cache(repository), _remote_folder(repository)):
        if folder is not None:
            with suppress(OSError, ValueError, KeyError, TypeError):
                return {str(one["md5"]) for one in json.loads(object_path(folder, name).read_text("utf-8"))}
    return set()


def _in_folder(folder: Path) -> dict[str, int | str]:
    files = (path for path in (folder / "files/md5").glob("??/*") if path.is_file())
    return {path.parent.name + path.name: path.stat().st_size for path in sorted(files)}


def _cache(repository: Repository) -> Path:
    return Path(settings(repository).get("cache", "dir"))


def _remote_folder(repository: Repository) -> Path | None:
    """The folder of a remote that is one, on this machine."""
    remote = repository.remote
    if remote is None or "://" in remote.url:
        return None
    return Path(settings(repository).get(f"'remote \"{remote.name}\"'", "url"))


def _md5s(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from MD5.findall(text)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
