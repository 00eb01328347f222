"""The stages of dvc.yaml as DVC resolves them: `vars`, `${x}`, `foreach` and `matrix` filled in.

The job that registers compares them with the lock that it was handed, and has no DVC. The rules are those of
https://doc.dvc.org/user-guide/project-structure/dvcyaml-files#templating. What can't be resolved without DVC raises a
KitError that says so.
"""

import configparser
import posixpath
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from mlops_kit.base.documents import parse_yaml
from mlops_kit.base.errors import KitError
from mlops_kit.project import pipeline
from mlops_kit.project.lock import flatten
from mlops_kit.project.pipeline import ABSENT, FILE, OUTPUTS, PARAMS

EXPRESSION = re.compile(r"(?<!\\)\$\{(.*?)\}")
ITEM, KEY = "item", "key"
OF = "@"  # between the name of a definition and that of its stage
MOST_STAGES = 10_000
READ = Callable[[str], str | None]  # the text of a file of the commit


@dataclass(frozen=True)
class ExpectedStage:
    """A stage as the lock must have it. Paths are as they are written, from the stage's working directory."""

    name: str
    cmd: Any  # a command, or a list of commands
    deps: frozenset[str]
    outs: frozenset[str]
    params: dict[str, frozenset[str] | None]  # file -> keys; None: every key of the file
    wdir: str = "."


def stages(read: READ) -> dict[str, ExpectedStage]:
    """The stages of dvc.yaml by name. Raises KitError if it can't be resolved, naming the stage."""
    content = parse_yaml(read(FILE) or "", FILE)
    variables = _Variables(read, _parsing(read(".dvc/config")))
    variables.load([PARAMS] if read(PARAMS) is not None else [])
    variables.load(_list(content.get("vars"), "vars"))
    found: dict[str, ExpectedStage] = {}
    for name, definition in _mapping(content.get("stages"), "stages").items():
        for stage_name, one, more in _generated(str(name), _mapping(definition, str(name)), variables):
            found[stage_name] = _stage(stage_name, one, variables.with_values(more))
            if len(found) > MOST_STAGES:
                raise _cannot(str(name), f"{FILE} makes more than {MOST_STAGES:,} stages")
    return found


def _cannot(where: str, why: str) -> KitError:
    return KitError(
        f"{FILE}: {where} can't be resolved: {why}.",
        "`dvc repro --dry` says what DVC makes of it. What only DVC can resolve is registered where it was trained: "
        "`mlops-kit register`.",
    )


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict | None):
        raise _cannot(where, f"it is a {type(value).__name__}, not a mapping")
    return value or {}


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list | None):
        raise _cannot(where, f"it is a {type(value).__name__}, not a list")
    return value or []


def _parsing(config: str | None) -> Mapping[str, str]:
    """How DVC writes a mapping into a command: section `parsing` of its configuration."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(config or "")
    except configparser.Error:
        return {}
    return dict(parser["parsing"]) if parser.has_section("parsing") else {}


# ---- variables ----


@dataclass
class _Variables:
    read: READ
    parsing: Mapping[str, str]
    values: dict[str, Any] = field(default_factory=dict)

    def load(self, entries: Sequence[Any], wdir: str = ".") -> None:
        """Take in files (`params.yaml`, `x.json:key,other`) and mappings."""
        for entry in entries:
            if isinstance(entry, dict):
                self._merge(self.values, entry)
                continue
            path, _, keys = str(entry).partition(":")
            path = posixpath.normpath(posixpath.join(wdir, path))
            if path.endswith(".py"):
                raise _cannot("vars", f"{path} is Python, which would have to be run")
            content = pipeline.parameters(self.read(path), path)
            if content is None:
                raise _cannot("vars", f"{path} is not there")
            chosen = [key for key in keys.split(",") if key] or list(content)
            self._merge(self.values, {key: content[key] for key in chosen if key in content})

    def _merge(self, into: dict[str, Any], more: Mapping[str, Any]) -> None:
        for key, value in more.items():
            if isinstance(into.get(key), dict) and isinstance(value, dict):
                into[key] = dict(into[key])
                self._merge(into[key], value)
            else:
                into[key] = value

    def with_values(self, more: Mapping[str, Any]) -> "_Variables":
        return _Variables(self.read, self.parsing, self.values | dict(more))

    def resolved(self, value: Any, where: str, *, whole: bool = False) -> Any:
        """The value with every `${x}` filled in. `whole`: one that stands alone may be a list or a mapping."""
        if isinstance(value, dict):
            return {
                self.resolved(key, where): self.resolved(inner, where, whole=whole)
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self.resolved(inner, where, whole=whole) for inner in value]
        return self._text(value, where, whole) if isinstance(value, str) else value

    def _text(self, text: str, where: str, whole: bool) -> Any:
        matches = list(EXPRESSION.finditer(text))
        if len(matches) == 1 and matches[0][0] == text:
            value = self._value(matches[0][1], where)
            if isinstance(value, dict | list) and not whole:
                return self._written(value, where)
            return value
        filled = EXPRESSION.sub(lambda match: self._written(self._value(match[1], where), where), text)
        return filled.replace(r"\${", "${")

    def _value(self, expression: str, where: str) -> Any:
        key = ".".join(part.strip() for part in expression.replace("[", ".").replace("]", "").split("."))
        value = pipeline.value_at(self.values, key)
        if value is ABSENT:
            raise _cannot(where, f"${{{expression}}} is not defined")
        return value

    def _written(self, value: Any, where: str) -> str:
        if isinstance(value, list) or (isinstance(value, dict) and not where.endswith(".cmd")):
            raise _cannot(where, f"a {type(value).__name__} is not allowed here")
        if isinstance(value, dict):
            return " ".join(_options(value, self.parsing, where))
        return written(value)


def written(value: Any) -> str:
    """A single value as text, as DVC writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _options(values: dict[str, Any], parsing: Mapping[str, str], where: str) -> Iterator[str]:
    """A mapping as options of a command, as DVC writes it there."""
    flat = {name[1:]: value for name, value in flatten(values, "").items()}
    for name, value in flat.items():
        if isinstance(value, bool):
            if value:
                yield f"--{name}"
            elif parsing.get("bool") == "boolean_optional":
                yield f"--no-{name}"
        elif isinstance(value, str):
            yield f"--{name} {shlex.quote(value)}"
        elif isinstance(value, list):
            if any(isinstance(one, list | dict) for one in value):
                raise _cannot(where, f"a list inside of the list {name!r} is not allowed in a command")
            words = [shlex.quote(one) if isinstance(one, str) else str(one) for one in value]
            if parsing.get("list") == "append":
                yield from (f"--{name} {word}" for word in words)
            elif words:
                yield f"--{name} {' '.join(words)}"
        else:
            yield f"--{name} {value}"


# ---- one definition for several stages ----

Generated = tuple[str, dict[str, Any], dict[str, Any]]  # name, definition, variables of its own


def _generated(name: str, definition: dict[str, Any], variables: _Variables) -> Iterator[Generated]:
    if "foreach" in definition:
        template = _mapping(definition.get("do"), f"{name}.do")
        over = variables.resolved(definition["foreach"], f"{name}.foreach", whole=True)
        for key, values in _foreach(over, name):
            yield f"{name}{OF}{key}", template, values
    elif "matrix" in definition:
        template = {key: value for key, value in definition.items() if key != "matrix"}
        axes = variables.resolved(definition["matrix"], f"{name}.matrix", whole=True)
        for key, item in _matrix(_mapping(axes, f"{name}.matrix"), name):
            yield f"{name}{OF}{key}", template, {KEY: key, ITEM: item}
    else:
        yield name, definition, {}


def _foreach(over: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(over, dict):
        yield from ((written(key), {ITEM: value, KEY: written(key)}) for key, value in over.items())
        return
    values = _list(over, f"{name}.foreach")
    is_nested = any(isinstance(value, dict | list) for value in values)
    for place, value in enumerate(values):
        yield written(place if is_nested else value), {ITEM: value}


def _matrix(axes: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    places = [list(enumerate(_list(values, f"{name}.matrix.{axis}"))) for axis, values in axes.items()]
    for chosen in product(*places):
        pairs = list(zip(axes, chosen, strict=True))
        names = [
            f"{axis}{place}" if isinstance(value, dict | list) else written(value)
            for axis, (place, value) in pairs
        ]
        yield "-".join(names), {axis: value for axis, (_, value) in pairs}


# ---- one stage ----


def _stage(name: str, definition: dict[str, Any], variables: _Variables) -> ExpectedStage:
    wdir = written(variables.resolved(definition.get("wdir") or ".", f"{name}.wdir"))
    if own := _list(definition.get("vars"), f"{name}.vars"):
        variables = variables.with_values({})
        variables.load(own, wdir)
    parts = {
        key: variables.resolved(definition[key], f"{name}.{key}")
        for key in ("cmd", "deps", "params", *OUTPUTS)
        if key in definition
    }
    outs = {path for key in OUTPUTS for path in _paths(parts.get(key), f"{name}.{key}")}
    deps = frozenset(_paths(parts.get("deps"), f"{name}.deps"))
    return ExpectedStage(
        name, parts.get("cmd"), deps, frozenset(outs), _params(name, parts.get("params")), wdir
    )


def _paths(entries: Any, where: str) -> Iterator[str]:
    """The path of each entry: a text, or a mapping from the path to its options."""
    for entry in _list(entries, where):
        yield from map(written, entry if isinstance(entry, dict) else [entry])


def _params(name: str, entries: Any) -> dict[str, frozenset[str] | None]:
    keys: dict[str, set[str]] = {}
    whole: set[str] = set()
    for entry in _list(entries, f"{name}.params"):
        named = entry if isinstance(entry, dict) else {PARAMS: [entry]}
        for file, chosen in named.items():
            keys.setdefault(str(file), set()).update(map(written, _list(chosen, f"{name}.params.{file}")))
            if not chosen:
                whole.add(str(file))
    return {file: None if file in whole else frozenset(chosen) for file, chosen in keys.items()}
