"""Put data under DVC as `dvc add` would, without changing an existing file."""

import hashlib
import json
import posixpath
import shutil
from pathlib import Path, PurePosixPath

import yaml

from mlops_new.adopt.read import repository
from mlops_new.adopt.read.repository import Repository
from mlops_new.adopt.write.stages import CODE, SETTINGS, Stage
from mlops_new.base import dvc_files


def untracked(repo: Repository, stage: Stage) -> tuple[list[str], list[str]]:
    """The files that the stage reads and Git does not track: data for DVC, and code or settings for Git."""
    tracked = tracked_paths(repo)
    missing = [
        path
        for path in stage.deps
        if path not in repo.tracked
        and repo.has(path)
        and not any(path == one or path.startswith(f"{one}/") for one in tracked)
        and not (_is_folder(repo, path) and any(one.startswith(f"{path}/") for one in repo.tracked))
    ]
    code = [
        path for path in missing if path.endswith((*CODE, *SETTINGS)) and _size(repo.root / path) < 100_000
    ]
    return [path for path in missing if path not in code], code


def _is_folder(repo: Repository, path: str) -> bool:
    return (repo.root / path).is_dir()


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 1 << 40


def tracked_paths(repo: Repository) -> set[str]:
    """The paths that .dvc files name."""
    paths = set()
    for pointer in repo.tracked | repo.others:
        if pointer.endswith(".dvc"):
            content = yaml.safe_load(repo.text(pointer)) or {}
            folder = posixpath.join(posixpath.dirname(pointer), content.get("wdir") or "")
            paths |= {
                posixpath.normpath(posixpath.join(folder, out["path"])) for out in content.get("outs") or []
            }
    return paths


def track(copy: Path, path: str) -> str:
    """Put a file or folder into DVC's cache of the copy, and return the path of its .dvc file.

    The pointer stands beside it, or above where Git ignores the folder: an ignored pointer is no use.
    """
    data = copy / path
    md5, text = dvc_files.pointer(data) if data.is_file() else _of_folder(copy, data)
    if data.is_file():
        _into_cache(copy, data, md5)
    where = PurePosixPath(path).parent
    name = f"{PurePosixPath(path).name}.dvc"
    while where.parts and repository.ignored(copy, [(where / name).as_posix()]):
        where = where.parent
    relative = PurePosixPath(path).relative_to(where).as_posix()
    pointer = (where / name).as_posix()
    named = text.replace(
        f"  path: {data.name}\n", f"  path: {json.dumps(relative) if ' ' in relative else relative}\n"
    )
    (copy / pointer).write_text(named, encoding="utf-8", newline="\n")
    return pointer


def _of_folder(copy: Path, folder: Path) -> tuple[str, str]:
    """Put a folder into the cache as DVC 3 does: the list of its files is cached too, as `MD5.dir`."""
    entries, size = [], 0
    for file in sorted((one for one in folder.rglob("*") if one.is_file()), key=lambda one: one.as_posix()):
        md5, _ = dvc_files.pointer(file)
        _into_cache(copy, file, md5)
        entries.append({"md5": md5, "relpath": file.relative_to(folder).as_posix()})
        size += file.stat().st_size
    entries.sort(key=lambda entry: entry["relpath"])
    listed = json.dumps(entries, sort_keys=True).encode()
    md5 = hashlib.md5(listed, usedforsecurity=False).hexdigest() + ".dir"
    _cached(copy, md5).parent.mkdir(parents=True, exist_ok=True)
    _cached(copy, md5).write_bytes(listed)
    text = (
        f"outs:\n- md5: {md5}\n  size: {size}\n  nfiles: {len(entries)}\n  hash: md5\n  path: {folder.name}\n"
    )
    return md5, text


def _into_cache(copy: Path, file: Path, md5: str) -> None:
    to = _cached(copy, md5)
    to.parent.mkdir(parents=True, exist_ok=True)
    if not to.exists():
        shutil.copyfile(file, to)
        to.chmod(0o444)


def _cached(copy: Path, md5: str) -> Path:
    return copy / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def ignore_lines(copy: Path, stage: Stage | None, data: list[str]) -> list[str]:
    """The lines that .gitignore lacks: for files of DVC and of the kit."""
    outputs = [path for path in stage.outputs if path not in stage.in_git] if stage else []
    logs = [f"{log}/" for log in stage.logs] if stage else []
    paths = [*data, *outputs, *logs, ".mlops/", "mlops-run/"]
    ignored = repository.ignored(copy, paths)
    return [f"/{path}" for path in paths if path not in ignored]
