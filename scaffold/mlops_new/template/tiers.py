"""The layers of a template and their tools, read from the template itself.

A layer is a question of `copier.yml` whose default is `none`; a tool is another of its choices, and its files
are the folder `template/[[ LAYER_TOOL ]]/`.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_new.base.errors import MlopsNewError
from mlops_new.template.releases import Releases

NONE = "none"
VENDORED = "[[ vendored ]]/"  # where the template has the kit


@dataclass(frozen=True)
class Tool:
    layer: str
    name: str
    says: str  # what it does, in a clause
    files: tuple[str, ...]  # as they are named in the project
    dependencies: tuple[str, ...]  # direct ones, of environments of its own

    @property
    def words(self) -> str:
        return f"{self.layer}={self.name}"


Layers = dict[str, tuple[Tool, ...]]


def read(releases: Releases, tag: str) -> Layers:
    """Read the layers of a version. `add LAYER` takes the first tool."""
    names = releases.files(tag)
    manifests = [f"template/{name}" for name in names if name.startswith("[[") and _is_manifest(name)]
    texts = releases.texts(tag, manifests)
    return {
        layer: tuple(_tool(texts, names, layer, name, label) for name, label in labels.items())
        for layer, labels in _labels(releases.questionnaire(tag)).items()
    }


def _labels(questions: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The label of each tool of each layer, from the choices of the question."""
    return {
        layer: {str(tool): str(label) for label, tool in question["choices"].items() if tool != NONE}
        for layer, question in questions.items()
        if not layer.startswith("_") and question.get("default") == NONE and "choices" in question
    }


def purposes(releases: Releases, tag: str) -> dict[str, str]:
    """What each layer is for, in a clause."""
    questions = releases.questionnaire(tag)
    return {layer: str(questions[layer]["help"]) for layer in _labels(questions)}


def folder(layer: str, tool: str) -> str:
    """The tier's folder in the template, before it is rendered."""
    return f"[[ {layer}_{tool.replace('-', '_')} ]]/"


def unused_folders(releases: Releases, tag: str, *answers: Mapping[str, object]) -> list[str]:
    """Folders of the template that a project with any of these answers does not need: most of all files.

    They are those of tiers that are off, and the kit unless it is vendored.
    """
    labels = _labels(releases.questionnaire(tag))
    wanted = {folder(layer, str(one[layer])) for one in answers for layer in labels if layer in one}
    if any(one.get("kit") == "vendored" for one in answers):
        wanted.add(VENDORED)
    folders = [*(folder(layer, tool) for layer, tools in labels.items() for tool in tools), VENDORED]
    return [folder for folder in folders if folder not in wanted]


def _tool(texts: dict[str, str], names: list[str], layer: str, name: str, label: str) -> Tool:
    inside = folder(layer, name)
    names_inside = [name for name in names if name.startswith(inside)]
    requires = [
        one for name in names_inside if _is_manifest(name) for one in _requires(texts[f"template/{name}"])
    ]
    files = tuple(name.removeprefix(inside).removesuffix(".jinja") for name in names_inside)
    says = label.partition(": ")[2] or label
    return Tool(layer, name, says, files, tuple(requires))


def _is_manifest(name: str) -> bool:
    return name.removesuffix(".jinja").endswith("/pyproject.toml")


def _requires(pyproject: str) -> list[str]:
    return list(tomllib.loads(pyproject)["project"]["dependencies"])


def switched_on(answers: dict[str, Any], layers: Layers) -> dict[str, str]:
    """The tool of each layer that is switched on."""
    tools = {layer: str(answers.get(layer, NONE)) for layer in layers}
    return {layer: tool for layer, tool in tools.items() if tool != NONE}


def parse(words: tuple[str, ...], layers: Layers, tag: str) -> dict[str, str]:
    """Layer and tool of each LAYER[=TOOL]. Raises MlopsNewError, which lists what there is."""
    chosen: dict[str, str] = {}
    for word in words:
        layer, _, name = word.partition("=")
        tools = tools_of(layer, layers, tag)
        names = [tool.name for tool in tools]
        if name and name not in names:
            raise MlopsNewError(
                f"The tier {layer} has no tool {name!r} in template {tag}.", f"It has: {', '.join(names)}."
            )
        if chosen.setdefault(layer, name or names[0]) != (name or names[0]):
            raise MlopsNewError(
                f"{layer} is named twice, as {chosen[layer]} and as {name or names[0]}.",
                "A tier has one tool.",
            )
    return chosen


def tools_of(layer: str, layers: Layers, tag: str) -> tuple[Tool, ...]:
    """The tools of a layer. Raises MlopsNewError if there is no such layer."""
    if layer not in layers:
        there = [f"{name}={tool.name}" for name, tools in layers.items() for tool in tools]
        raise MlopsNewError(
            f"There is no tier {layer!r} in template {tag}.",
            f"There are: {', '.join(there)}." if there else "This version has the base only.",
        )
    return layers[layer]


def first_commands(readme: str) -> list[str]:
    """The commands of the first block in the README of a tier: what to do after it was added."""
    lines: list[str] = []
    for line in readme.splitlines():
        if line.startswith("    "):
            lines.append(line.strip())
        elif lines:
            break
    return lines


def next_steps(project: Path, readmes: Iterable[str]) -> list[str]:
    """Lines to print after tiers were added: for each README, by its path in the project, its first commands."""
    lines = []
    for name in readmes:
        if commands := first_commands((project / name).read_text(encoding="utf-8")):
            lines += [f"Next, as in {name}:", *(f"    {command}" for command in commands)]
    return lines


def find_tool(layer: str, name: str, layers: Layers) -> Tool:
    return next(tool for tool in layers[layer] if tool.name == name)
