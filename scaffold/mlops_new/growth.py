"""Adds and removes tiers and moves to another version of the template, by Copier's update.

Copier works in a clone that is thrown away, and what came of it is applied to the project as one patch: all of
it, or nothing. So what would change can be shown before, and files that Git ignores are nobody's business.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from mlops_new import aside, changes, project, releases, tiers
from mlops_new.changes import Changes, Unmerged
from mlops_new.errors import MlopsNewError
from mlops_new.processes import FOREIGN_GIT, ProcessError, run
from mlops_new.project import Project
from mlops_new.releases import Releases
from mlops_new.tiers import Layers


@dataclass
class Trial:
    """What an update would do; nothing of it is done before `apply`."""

    project: Project
    clone: Path
    patch: Path
    changes: Changes
    unmerged: Unmerged
    applied: bool = False

    def text(self) -> str:
        """As a patch, as `git diff` prints it."""
        return self.patch.read_text(encoding="utf-8", errors="replace")

    def apply(self) -> None:
        """Raises MlopsNewError, and then nothing was changed."""
        self.applied = True
        if not self.changes.any:
            return
        try:
            with aside.held_back():
                run(["git", "apply", "--whitespace=nowarn", self.patch], self.project.top)
                self.unmerged.mark(self.clone, self.project.top)
        except ProcessError as error:
            raise MlopsNewError(
                f"The changes do not fit on what is in {self.project.top}. Git says:\n{error.last_words()}",
                "Nothing was changed. Where it says `already exists`, a file that Git ignores is in the way.",
            ) from error


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
    with aside.folder("mlops-new-") as folder:
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
def tried(here: Standing, answers: Mapping[str, str], to: str) -> Iterator[Trial]:
    """An update with these answers changed and to this tag. Raises MlopsNewError."""
    project.check_clean(here.project)
    inside = here.project.inside
    with aside.folder("mlops-new-") as folder:
        clone, patch = folder / "project", folder / "update.patch"
        run(["git", "clone", "--quiet", "--shared", "--no-tags", here.project.top, clone], folder)
        _update(clone / inside, here.known, answers, to)
        unmerged = Unmerged.read(clone)
        run(["git", "add", "--all", "--force"], clone)  # also what the owner ignores, to see it
        changed = changes.read(clone, unmerged.entries)
        base = tiers.base(here.known, here.project.template, here.layers)
        if back := [name for name in changed.added if Path(name).relative_to(inside).as_posix() in base]:
            # deleted by their owner: Copier writes a file of `_skip_if_exists` whenever it is not there
            run(["git", "rm", "--quiet", "--force", "--", *back], clone)
            changed = changes.read(clone, unmerged.entries)
        run(["git", "diff", "--cached", "--binary", "--no-renames", f"--output={patch}", "HEAD"], clone)
        yield Trial(here.project, clone, patch, changed, unmerged)


def edited(here: Standing, going: Mapping[str, str]) -> list[str]:
    """Files of these tiers, by layer and tool, that are not as the template made them."""
    tools = [tiers.tool(layer, name, here.layers) for layer, name in going.items()]
    names = [name for tool in tools for name in tool.files if (here.project.root / name).is_file()]
    with aside.folder("mlops-new-") as folder:
        _copy(folder, here)
        return [
            name
            for name in names
            if not (folder / name).is_file()
            or (folder / name).read_bytes() != (here.project.root / name).read_bytes()
        ]


def _copy(into: Path, here: Standing) -> None:
    """What the template made of the project's answers."""
    copier, errors = _import()
    data = {key: value for key, value in here.project.answers.items() if not key.startswith("_")}
    try:
        with _environment(here.known):
            copier.run_copy(
                here.project.origin,
                into,
                data,
                vcs_ref=here.project.template,
                defaults=True,
                overwrite=True,
                quiet=True,
            )
    except errors as error:
        raise MlopsNewError(f"Copier could not render {here.project.template}: {error}") from error


def _update(at: Path, known: Releases, answers: Mapping[str, str], to: str) -> None:
    """Copier's own, which finds the project's template among the releases of this command."""
    copier, errors = _import()
    try:
        with _environment(known):
            copier.run_update(at, dict(answers), vcs_ref=to, defaults=True, overwrite=True, quiet=True)
    except errors as error:
        raise MlopsNewError(f"Copier could not update to {to}: {error}", "Nothing was changed.") from error


def _import() -> tuple[ModuleType, tuple[type[Exception], ...]]:
    """Copier, and what it raises for what is no fault of its own."""
    with aside.held_back():  # pydantic, building a class, would swallow Ctrl-C
        import copier
        from copier.errors import CopierError
        from plumbum import ProcessExecutionError
    return copier, (CopierError, ProcessExecutionError, ValueError, TypeError)


@contextmanager
def _environment(known: Releases) -> Iterator[None]:
    """Copier without the person's settings and cache, and with the releases where it would ask GitHub."""
    from plumbum import local  # which has a copy of the environment of its own

    folder = known.folder.parent
    settings = folder / "settings.yml"
    settings.write_text("{}\n", encoding="utf-8")
    inherited = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
    more = {
        "COPIER_SETTINGS_PATH": str(settings),
        "COPIER_CACHE_DIR": str(folder / "copier"),
        "GIT_CONFIG_COUNT": str(inherited + 1),
        f"GIT_CONFIG_KEY_{inherited}": f"url.{known.folder.as_posix()}.insteadOf",
        f"GIT_CONFIG_VALUE_{inherited}": f"https://github.com/{known.publisher}.git",
    }
    before = dict(os.environ)
    os.environ.update(more)
    try:
        with local.env(**more):
            for name in FOREIGN_GIT:
                os.environ.pop(name, None)
                local.env.pop(name, "")
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
