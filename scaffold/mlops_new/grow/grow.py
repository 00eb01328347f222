"""What a project can become: tiers added, removed and switched, and another version of the template."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_new.base import temporary
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError
from mlops_new.grow import project, switch, trial, update
from mlops_new.grow.project import Project
from mlops_new.grow.trial import Trial
from mlops_new.template import releases, tiers
from mlops_new.template.releases import Releases
from mlops_new.template.tiers import Layers


@dataclass(frozen=True)
class Standing:
    """A project, and what the template that it was made from has."""

    project: Project
    known: Releases
    layers: Layers

    @property
    def on(self) -> dict[str, str]:
        """Layer and tool of what is switched on."""
        return tiers.on(self.project.answers, self.layers)


@contextmanager
def standing(start: Path) -> Iterator[Standing]:
    """The project of this folder or of one above. Raises MlopsNewError."""
    found = project.find(start)
    with temporary.folder("mlops-new-") as folder:
        known = releases.opened(folder)
        project.check_origin(found, known.publisher)
        project.check_version(found, known.tags())
        yield Standing(found, known, tiers.read(known, found.template))


def to_add(here: Standing, words: tuple[str, ...]) -> dict[str, str]:
    """Layer and tool of each LAYER[=TOOL]. Raises MlopsNewError when one is on already."""
    chosen = tiers.wanted(words, here.layers, here.project.template)
    for layer, tool in chosen.items():
        if other := here.on.get(layer):
            raise MlopsNewError(
                f"{layer} is {other} already.",
                "" if other == tool else f"A layer has one tool: mlops-new switch {layer}={tool}",
            )
    return chosen


def to_remove(here: Standing, words: tuple[str, ...]) -> dict[str, str]:
    """Layer and tool of each LAYER. Raises MlopsNewError when one is not on."""
    going = {}
    for word in words:
        layer, _, tool = word.partition("=")
        tiers.the_layer(layer, here.layers, here.project.template)
        if layer not in here.on or tool not in ("", here.on[layer]):
            raise MlopsNewError(f"{word} is not on.", f"On: {_listed(here)}.")
        going[layer] = here.on[layer]
    return going


def to_switch(here: Standing, words: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Layer and tool as they are, and as they shall be. Raises MlopsNewError."""
    for word in words:
        if "=" not in word:
            raise MlopsNewError(f"{word!r} names no tool.", f"Try: mlops-new switch {word}=TOOL")
    coming = tiers.wanted(words, here.layers, here.project.template)
    for layer, tool in coming.items():
        if layer not in here.on:
            raise MlopsNewError(f"{layer} is not on.", f"Try: mlops-new add {layer}={tool}")
        if here.on[layer] == tool:
            raise MlopsNewError(f"{layer} is {tool} already.")
    return {layer: here.on[layer] for layer in coming}, coming


def _listed(here: Standing) -> str:
    return ", ".join(f"{layer}={tool}" for layer, tool in here.on.items()) or "nothing"


def version(here: Standing, to: str | None) -> str:
    """The tag to move to, the newest where none is named. Raises MlopsNewError."""
    tags = here.known.tags()
    tag = f"v{to.removeprefix('v')}" if to else tags[-1]
    if tag not in tags:
        raise MlopsNewError(f"There is no template {to!r}.", f"There are: {', '.join(tags)}.")
    if releases.numbers(tag) < releases.numbers(here.project.template):
        raise MlopsNewError(
            f"{here.project.root.name} is at {here.project.template}, which is newer than {tag}.",
            "A template cannot be taken back; revert the commit that updated it: git log .copier-answers.yml",
        )
    return tag


@contextmanager
def switched(here: Standing, answers: Mapping[str, str]) -> Iterator[Trial]:
    """These layers with these tools, at the same version. Raises MlopsNewError."""
    with trial.clone_of(here.project) as clone:
        with _failing("switch tiers"):
            lost = switch.switch(clone, here.project, here.known, answers)
            made = trial.read(here.project, clone, lost)
        yield made


@contextmanager
def moved(here: Standing, to: str) -> Iterator[Trial]:
    """At another version, with the same tiers. Raises MlopsNewError."""
    with trial.clone_of(here.project) as clone:
        with _failing("update"):
            update.move(clone, here.project, here.known, here.layers, to)
            made = trial.read(here.project, clone)
        yield made


@contextmanager
def _failing(what: str) -> Iterator[None]:
    try:
        yield
    except (ProcessError, OSError) as error:
        raise MlopsNewError(f"To {what} failed: {error}", "Nothing was changed.") from error
