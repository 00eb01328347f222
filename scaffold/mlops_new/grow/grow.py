"""Add, remove and switch the tiers of a project, and update its template."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from mlops_new.base import lock, temporary
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, require
from mlops_new.grow import trial
from mlops_new.grow.project import Project, check_origin, check_version, find_project, find_root
from mlops_new.grow.trial import Trial
from mlops_new.grow.update import update
from mlops_new.template import releases, tiers
from mlops_new.template.releases import Releases
from mlops_new.template.tiers import Layers


@dataclass(frozen=True)
class OpenProject:
    """A project, the releases of the template, and the layers that its own version of the template has."""

    project: Project
    releases: Releases
    layers: Layers

    @property
    def tools(self) -> dict[str, str]:
        """The tool of each layer that is switched on."""
        return tiers.switched_on(self.project.answers, self.layers)


@contextmanager
def open_project(folder: Path) -> Iterator[OpenProject]:
    """Find the project in this folder or in one above it. Raises MlopsNewError."""
    project = find_project(folder)
    with temporary.folder("mlops-new-") as unpacked:
        known = releases.open_releases(unpacked)
        check_origin(project, known.publisher)
        check_version(project, known.tags())
        yield OpenProject(project, known, tiers.read(known, project.template))


@dataclass(frozen=True)
class Offer:
    """What can be switched on, and what is. `root` is None outside of a project: then nothing is on."""

    template: str
    root: Path | None
    layers: Layers
    purposes: Mapping[str, str]  # of each layer
    tools: Mapping[str, str]  # of each layer that is switched on


def read_offer(folder: Path) -> Offer:
    """The layers and tools for the project in this folder; outside of one, those of the newest template."""
    if find_root(folder):
        with open_project(folder) as opened:
            tag, root = opened.project.template, opened.project.root
            purposes = tiers.purposes(opened.releases, tag)
            return Offer(tag, root, opened.layers, purposes, opened.tools)
    require("git")
    tag = releases.current()
    with temporary.folder("mlops-new-") as unpacked:
        known = releases.open_releases(unpacked)
        return Offer(tag, None, tiers.read(known, tag), tiers.purposes(known, tag), {})


def tools_to_add(opened: OpenProject, words: tuple[str, ...]) -> dict[str, str]:
    """Layer and tool of each LAYER[=TOOL]. Raises MlopsNewError if the layer is on."""
    tools = tiers.parse(words, opened.layers, opened.project.template)
    for layer, tool in tools.items():
        if current := opened.tools.get(layer):
            raise MlopsNewError(
                f"{layer} is {current} already.",
                "" if current == tool else f"A tier has one tool: mlops-new switch {layer}={tool}",
            )
    return tools


def tools_to_remove(opened: OpenProject, words: tuple[str, ...]) -> dict[str, str]:
    """Layer and tool of each LAYER[=TOOL]. Raises MlopsNewError if it is not on."""
    tools = {}
    for word in words:
        layer, _, tool = word.partition("=")
        tiers.tools_of(layer, opened.layers, opened.project.template)
        if layer not in opened.tools or tool not in ("", opened.tools[layer]):
            listed = ", ".join(f"{layer}={tool}" for layer, tool in opened.tools.items()) or "nothing"
            raise MlopsNewError(f"{word} is not on.", f"On: {listed}.")
        tools[layer] = opened.tools[layer]
    return tools


def tools_to_switch(opened: OpenProject, words: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Layer and tool of each LAYER=TOOL, as it is and as it will be. Raises MlopsNewError."""
    for word in words:
        if "=" not in word:
            raise MlopsNewError(f"{word!r} names no tool.", f"Try: mlops-new switch {word}=TOOL")
    tools = tiers.parse(words, opened.layers, opened.project.template)
    for layer, tool in tools.items():
        if layer not in opened.tools:
            raise MlopsNewError(f"{layer} is not on.", f"Try: mlops-new add {layer}={tool}")
        if opened.tools[layer] == tool:
            raise MlopsNewError(f"{layer} is {tool} already.")
    return {layer: opened.tools[layer] for layer in tools}, tools


def find_version(opened: OpenProject, version: str | None) -> str:
    """The tag of this version, or of the newest if it is None. Raises MlopsNewError."""
    tags = opened.releases.tags()
    tag = f"v{version.removeprefix('v')}" if version else tags[-1]
    if tag not in tags:
        raise MlopsNewError(f"There is no template {version!r}.", f"There are: {', '.join(tags)}.")
    if releases.numbers(tag) < releases.numbers(opened.project.template):
        raise MlopsNewError(
            f"{opened.project.root.name} is at {opened.project.template}, which is newer than {tag}.",
            "A template cannot be taken back; revert the commit that updated it: git log .copier-answers.yml",
        )
    return tag


@contextmanager
def try_update(
    opened: OpenProject,
    tools: Mapping[str, str] | None = None,
    version: str | None = None,
    *,
    dry: bool = False,
) -> Iterator[Trial]:
    """Try an update in a clone: other tools for these layers, another version, or both. Raises MlopsNewError.

    Holds the lock of the project, unless nothing is to be applied (`dry`).
    """
    alone = nullcontext() if dry else lock.hold(opened.project.top)
    with alone, trial.clone_of(opened.project) as clone:
        try:
            edited = update(
                clone, opened.project, opened.releases, tools or {}, version or opened.project.template
            )
            result = trial.read(opened.project, clone, edited)
        except (ProcessError, OSError) as error:
            what = "update" if version else "switch tiers"
            raise MlopsNewError(f"To {what} failed: {error}", "Nothing was changed.") from error
        yield result
