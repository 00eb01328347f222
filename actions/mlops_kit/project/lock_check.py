"""Compare a lock that another job made with dvc.yaml."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_kit.base.documents import parse_yaml
from mlops_kit.base.markdown import one_line
from mlops_kit.project.lock import LOCK, Entry, Lock, PipelineStage
from mlops_kit.project.pipeline import FILE
from mlops_kit.project.resolve import ExpectedStage

MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
LONGEST_HASH = 200  # characters of an ETag or a checksum
# What DVC 3 writes into a lock.
TOP = {"schema", "stages", "datasets"}
OF_STAGE = {"cmd", "deps", "params", "outs"}
OF_FILE = {"md5", "size", "nfiles", "isexec", "etag", "checksum", "version_id", "remote", "cloud"}
OF_ENTRY = OF_FILE | {"path", "hash", "files", "dataset"}


def differences(lock: Lock, expected: Mapping[str, ExpectedStage]) -> list[str]:
    """The differences between the lock and dvc.yaml. Empty if DVC can have written this lock."""
    problems = _shape(lock)
    problems += [f"{FILE} has no stage {_name(name)}" for name in lock.stages if name not in expected]
    problems += [f"stage {_name(name)} is missing" for name in expected if name not in lock.stages]
    for name, stage in lock.stages.items():
        if name in expected:
            found = [
                *_definition(stage, expected[name]),
                *_places(stage, expected[name]),
                *_hashes(stage, lock),
            ]
            problems += [f"stage {_name(name)}: {says}" for says in found]
    return problems


def _shape(lock: Lock) -> list[str]:
    """Keys that DVC does not write, duplicate entries, and files that lie outside of their folder."""
    content = parse_yaml(lock.text, LOCK)
    problems = _unknown(content, TOP, LOCK)
    for name, stage in (content.get("stages") or {}).items():
        problems += _unknown(stage, OF_STAGE, f"stage {_name(name)}")
        for part in ("deps", "outs"):
            entries = stage.get(part) or []
            paths = Counter(posixpath.normpath(entry["path"]) for entry in entries)
            twice = sorted(path for path, count in paths.items() if count > 1)
            problems += [f"stage {_name(name)}: {_name(path)} is listed twice" for path in twice]
            for entry in entries:
                problems += _unknown(entry, OF_ENTRY, f"stage {_name(name)}: {_name(entry['path'])}")
                problems += _files(entry.get("files"), f"stage {_name(name)}: {_name(entry['path'])}")
    return problems


def _unknown(content: Mapping[Any, Any], known: set[str], where: str) -> list[str]:
    return [f"{where} has the key {_name(str(key))}" for key in content if key not in known]


def _files(files: Any, where: str) -> list[str]:
    """Problems in the list of a folder's files, which remotes with object versions need."""
    if files is None:
        return []
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        return [f"{where} has no list of files"]
    wrong = [file for file in files if not is_inside(str(file.get("relpath", "..")))]
    unknown = [line for file in files for line in _unknown(file, OF_FILE | {"relpath"}, where)]
    return ([f"{where} has files outside of it"] if wrong else []) + unknown[:1]


def _name(text: str) -> str:
    return one_line(text, 80)


def _definition(stage: PipelineStage, expected: ExpectedStage) -> list[str]:
    problems = [] if stage.cmd == str(expected.cmd) else [f"its command is not that of {FILE}"]
    problems += _set_differences("dependency", _normal(stage.deps), _normal(expected.deps))
    problems += _set_differences("output", _normal(stage.outs), _normal(expected.outs))
    return problems + _parameters(stage.params, expected.params)


def _parameters(
    locked: Mapping[str, Mapping[str, Any]], expected: Mapping[str, frozenset[str] | None]
) -> list[str]:
    """Differences in the parameter keys. `training.freshness` compares the values with the files of the commit."""
    problems = [
        f"parameters of {_name(file)} that {FILE} does not name" for file in locked.keys() - expected.keys()
    ]
    for file, keys in expected.items():
        if keys is not None:
            problems += _set_differences(f"parameter of {_name(file)}", set(locked.get(file, {})), set(keys))
    return problems


def _normal(paths: Iterable[str]) -> set[str]:
    return {path if "://" in path else posixpath.normpath(path) for path in paths}


def _set_differences(what: str, locked: set[str], expected: set[str]) -> list[str]:
    more = [f"{what} {_name(one)} that {FILE} does not have" for one in sorted(locked - expected)]
    return more + [f"{what} {_name(one)} is missing" for one in sorted(expected - locked)]


def _places(stage: PipelineStage, expected: ExpectedStage) -> list[str]:
    return [
        f"output {_name(path)} lies outside of the repository"
        for path in stage.outs
        if not is_inside(posixpath.join(expected.wdir, path))
    ]


def is_inside(path: str) -> bool:
    """True for a relative path that does not lead out of the repository, nor into Git's or DVC's own folder."""
    normal = posixpath.normpath(path)
    first = normal.split("/")[0].lower()
    is_relative = "://" not in path and "\\" not in path and not posixpath.isabs(path)
    return is_relative and path.isprintable() and first not in ("..", ".git", ".dvc")


def is_md5(value: str) -> bool:
    """True for a hash as DVC writes it: of a file, or with `.dir` of a folder."""
    return bool(MD5.fullmatch(value))


def _hashes(stage: PipelineStage, lock: Lock) -> list[str]:
    """Outputs without an md5, and dependencies with another md5 than the output."""
    problems = [f"output {_name(path)} has no md5" for path, out in stage.outs.items() if not is_md5(out.md5)]
    outs: Mapping[str, Entry] = lock.outs
    for path, dep in stage.deps.items():
        if path in outs and outs[path].md5 != dep.md5:
            problems.append(f"dependency {_name(path)} is not the output that another stage made")
        elif len(dep.md5) > LONGEST_HASH or not dep.md5.isprintable():
            problems.append(f"dependency {_name(path)} has no hash")
    return problems
