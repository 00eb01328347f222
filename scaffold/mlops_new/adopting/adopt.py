"""Adopts a repository: looks, runs the training in a copy, and adds what was missing. All of it, or nothing."""

import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from mlops_new import aside, releases, template
from mlops_new.adopting import entry as entries
from mlops_new.adopting import (
    observing,
    obstacles,
    packages,
    patches,
    pipelines,
    place,
    stages,
    texts,
    tracking,
)
from mlops_new.adopting.entry import Entry, Found
from mlops_new.adopting.observing import Seen
from mlops_new.adopting.obstacles import Obstacle
from mlops_new.adopting.packages import PINS, Packages
from mlops_new.adopting.patches import Patch
from mlops_new.adopting.place import Place
from mlops_new.adopting.source import Source
from mlops_new.adopting.stages import RUN, Stage
from mlops_new.adopting.uses import Use, uses
from mlops_new.errors import MlopsNewError
from mlops_new.names import proper
from mlops_new.processes import ProcessError, require, run
from mlops_new.project import ANSWERS

Say = Callable[[str], None]
BIG = 1_000_000


@dataclass(frozen=True)
class Wishes:
    path: Path
    entry: str = ""
    name: str = ""
    python: str = ""
    kit: str = "remote"
    apply: bool = False
    run: bool = True
    dry_run: bool = False


@dataclass
class Adopted:
    """Paths are relative to `root`. `same` says whether a second run made the same; None: it did not run."""

    root: Path
    name: str
    entry: Entry
    others: list[Entry]
    packages: str
    stage: Stage | None = None
    figures: dict[str, float] = field(default_factory=dict)
    adds: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)  # under DVC now
    patches: list[Patch] = field(default_factory=list)
    applied: bool = False
    patch_file: str = ""  # of what was not applied
    obstacles: list[Obstacle] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dvc: str = "dvc"
    ran: bool = False
    same: bool | None = None


@dataclass
class Plan:
    """What is known before anything runs."""

    here: Place
    found: Found
    entry: Entry
    sources: list[Source]  # the entry and what it imports
    uses: list[Use]
    packages: Packages

    @property
    def is_pipeline(self) -> bool:
        return self.entry.kind == "pipeline"

    @property
    def dvc(self) -> str:
        return f"{self.packages.run} dvc"


def adopt(wishes: Wishes, say: Say) -> Adopted:
    """Raises MlopsNewError when it cannot be adopted; then the repository is as it was."""
    here = place.find(wishes.path)
    plan = look(here, wishes)
    made = Adopted(
        here.root, proper(wishes.name or here.root.name), plan.entry, [], plan.packages.says, dvc=plan.dvc
    )
    made.others = [one for one in plan.found.candidates if one.path != plan.entry.path]
    made.obstacles = [found for one in plan.sources for found in obstacles.found(one, _of(one, here))]
    if wishes.dry_run:
        made.stage = _of_code(plan)
        with aside.folder("mlops-new-") as folder:
            made.adds = sorted({*_rendered(folder, wishes, made, here), *_planned(plan, made.stage)})
        return made
    require("git", "uv")
    try:
        with observing.copied(here, say, None if wishes.run else _needed(plan)) as copy:
            _fill(copy, plan, wishes, made, say)
            _bring(copy, here, made, wishes)
    except ProcessError as error:
        raise MlopsNewError(str(error), "The repository is as it was.") from error
    except OSError as error:
        raise MlopsNewError(
            f"{error.filename or here.root}: {error.strerror}.", "The repository is as it was."
        ) from error
    return made


# ---- look ----


def look(here: Place, wishes: Wishes) -> Plan:
    """What trains, what it needs, and with which packages."""
    found = entries.look(here)
    pipeline = pipelines.stages(here)
    if pipeline and not wishes.entry:
        why = [f"it has {len(pipeline)} stages: {', '.join(pipeline)}"]
        sources = list(found.sources.values())
        entry = Entry(pipelines.FILE, "pipeline", why=why)
    elif here.has(pipelines.FILE):
        raise MlopsNewError(
            f"There is a {pipelines.FILE}, which is not changed, so {wishes.entry or 'a training'} cannot become a stage.",
            f"Add it: dvc stage add --name train ...; commit {pipelines.FILE}, and adopt without --entry.",
        )
    else:
        entry = entries.named(here, found, wishes.entry) if wishes.entry else entries.choose(found, here)
        one = found.sources[entry.path]
        sources = [one, *(found.sources[path] for path in entries.imported(one, found.sources))]
        entry = _settled(here, entry, [use for each in sources for use in _of(each, here)])
    every = [use for each in sources for use in _of(each, here)]
    return Plan(here, found, entry, sources, every, packages.find(here, entry, sources, wishes.python))


def _of(source: Source, here: Place) -> list[Use]:
    return uses(source, (here.root / source.path).as_posix())


def _settled(here: Place, entry: Entry, every: list[Use]) -> Entry:
    """A script runs at the root, or in its own folder where what it reads is there only from there."""
    folder = PurePosixPath(entry.path).parent.as_posix()
    if entry.kind != "script" or folder == ".":
        return entry
    reads = [
        use.path for use in every if use.how == "read" and not use.is_address and not use.path.startswith("/")
    ]
    from_root = [path for path in reads if here.has(path)]
    from_folder = [path for path in reads if (here.root / folder / path).exists()]
    return replace(entry, inside=folder) if len(from_folder) > len(from_root) else entry


def _of_code(plan: Plan) -> Stage:
    if plan.is_pipeline:
        return pipelines.as_stage(plan.here, plan.dvc, plan.here.root)
    return stages.of_code(plan.here, plan.entry, plan.uses, [one.path for one in plan.sources])


def _needed(plan: Plan) -> set[str]:
    """What must be copied where nothing runs: what Git tracks, and the data that is read."""
    return {*plan.here.tracked, *_of_code(plan).deps}


def _planned(plan: Plan, stage: Stage) -> list[str]:
    """Beside what the template has."""
    own = [] if plan.is_pipeline else [pipelines.FILE]
    own += [RUN] if RUN in stage.deps else []
    own += [PINS] if PINS in plan.packages.environment else []
    data, _ = tracking.untracked(plan.here, stage)
    return [*own, "mlops.yaml", *plan.packages.adds, *(f"{path}.dvc" for path in data)]


def _rendered(into: Path, wishes: Wishes, made: Adopted, here: Place) -> list[str]:
    """Renders what operates a repository; the files that are not there yet."""
    answers = {"project_name": made.name, "adopted": True, "kit": wishes.kit}
    template.render(into, answers | {"main_branch": here.branch})
    if here.has(ANSWERS):  # another template's
        (into / ANSWERS).rename(into / ".copier-answers.mlops-new.yml")
    if here.has(".dvc/config"):
        shutil.rmtree(into / ".dvc")
    found = [path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file()]
    return [path for path in found if not here.has(path)]


# ---- in the copy ----


def _fill(copy: Path, plan: Plan, wishes: Wishes, made: Adopted, say: Say) -> None:
    """Makes in the copy all that the repository will get."""
    rendered = observing.desk(copy) / "rendered"
    rendered.mkdir()
    for path in _rendered(rendered, wishes, made, plan.here):
        _put(copy / path, (rendered / path).read_bytes())
        made.adds.append(path)
    for path, text in plan.packages.adds.items():
        _add(copy, made, path, text)
    if PINS in plan.packages.environment:
        say("Finding packages")
        _add(copy, made, PINS, packages.pins(plan.packages, copy))
    if not plan.is_pipeline:
        _put(copy / RUN, (Path(__file__).parent / RUN).read_bytes())
    stage, seen = (_watched if wishes.run else _unwatched)(copy, plan, made, say)
    if RUN in stage.deps:
        made.adds.append(RUN)
    else:
        (copy / RUN).unlink(missing_ok=True)
    made.stage = stage
    before = stages.fingerprint(copy, stage)
    _under_dvc(copy, plan, made, stage)
    if not plan.is_pipeline:
        _add(copy, made, pipelines.FILE, texts.pipeline(stage, plan.dvc))
    if seen and not plan.is_pipeline:
        say(f"Running it again, as a stage of {pipelines.FILE}")
        _run(copy, plan, plan.packages.with_run("dvc", "repro"))
        after = stages.fingerprint(copy, stage)
        changed = [path for path in before if before[path] != after.get(path)]
        made.same = not changed
        made.obstacles += [_differs(path) for path in changed]
    made.figures = stages.figures(copy / stage.metrics) if seen and stage.metrics else {}
    if seen and plan.is_pipeline and wishes.apply:
        made.stage = stage = _as_declared(copy, plan, made, stage, say)
    models = [path for path in stage.models if path not in stage.in_git]
    _add(copy, made, "mlops.yaml", texts.contract(
        made.name, releases.current().removeprefix("v"), plan.packages, models, stage.metrics or "metrics.json",
        made.figures, copy))  # fmt: skip
    made.ran = seen is not None
    made.notes += _limits(made, models)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _add(copy: Path, made: Adopted, path: str, text: str) -> None:
    _put(copy / path, text.encode())
    made.adds.append(path)


def _unwatched(copy: Path, plan: Plan, made: Adopted, say: Say) -> tuple[Stage, None]:
    return _of_code(plan), None


def _watched(copy: Path, plan: Plan, made: Adopted, say: Say) -> tuple[Stage, Seen]:
    """Runs what trains, and takes what it was seen to read and write."""
    if plan.is_pipeline:
        say("Running every stage of dvc.yaml, to see what each reads and writes")
        seen = _run(copy, plan, plan.packages.with_run("dvc", "repro", "--force"))
        stage = pipelines.as_stage(plan.here, plan.dvc, copy)
        if any(one.get("wdir") for one in pipelines.stages(plan.here).values()):
            made.notes.append(
                "dvc.yaml: a stage has `wdir`, and the kit reads the paths of dvc.lock from the root."
            )
        wanted, metrics = pipelines.undeclared(plan.here, seen, copy)
        stage = stage if stage.metrics else replace(stage, metrics=metrics)
        _ask_to_declare(plan.here, wanted, made)
    else:
        words = stages.command(plan.entry, "")
        say(f"Running {plan.entry.path} in a copy, to see what it reads and writes")
        seen = _run(copy, plan, plan.packages.with_run(*words))
        stage = stages.of_seen(plan.here, plan.entry, seen, copy)
    made.obstacles += _of_run(seen)
    return stage, seen


def _run(copy: Path, plan: Plan, words: Sequence[str]) -> Seen:
    try:
        return observing.observe(copy, words)
    except ProcessError as error:
        said = error.last_words(20).replace(f"{copy}/", "")
        said = said[max(0, said.find("Exception encountered at")) :]  # without papermill's own lines
        what = f"{plan.entry.path} fails when it is run:\n{said}"
        raise MlopsNewError(what, f"{_advice(plan.entry, said)}\nThe repository is as it was.") from error


def _advice(entry: Entry, said: str) -> str:
    if "arguments are required" in said or "Missing option" in said or "Missing argument" in said:
        return f"It needs arguments. Name them: --entry '{entry.path} ARGUMENT...'"
    if "ModuleNotFoundError" in said or "No module named" in said:
        return "Add the package to requirements.txt or pyproject.toml, commit, and adopt again."
    if "FileNotFoundError" in said or "No such file" in said:
        return "What it reads must be in the repository: bring the data, and adopt again; or write without running: --no-run"
    return "When it is mended, adopt again; or write without running: --no-run"


def _ask_to_declare(here: Place, wanted: dict[str, dict[str, list[str]]], made: Adopted) -> None:
    if not wanted:
        return
    if patch := pipelines.patch(here, wanted):
        made.patches.append(patch)
        return
    for name, kinds in wanted.items():
        for key, paths in kinds.items():
            made.notes.append(f"dvc.yaml: stage {name} should name under `{key}`: {', '.join(paths)}")


def _as_declared(copy: Path, plan: Plan, made: Adopted, stage: Stage, say: Say) -> Stage:
    """The pipeline again, with what its dvc.yaml names now; its lock follows."""
    patch = next((one for one in made.patches if one.path == pipelines.FILE), None)
    if patch is None:
        return stage
    say("Running the stages again, with what dvc.yaml names now")
    _put(copy / pipelines.FILE, patch.after)
    _run(copy, plan, plan.packages.with_run("dvc", "repro"))
    if plan.here.has(pipelines.LOCK):
        before, after = ((root / pipelines.LOCK).read_bytes() for root in (plan.here.root, copy))
        made.patches.append(Patch(pipelines.LOCK, before, after, "it says what the changed dvc.yaml made"))
    return replace(pipelines.as_stage(plan.here, plan.dvc, copy), metrics=stage.metrics)


def _of_run(seen: Seen) -> list[Obstacle]:
    """What only running shows."""
    bring = "Copy it into the repository, read it from there, and adopt again."
    found = [
        Obstacle(path, "it is read, and it is outside of the repository", bring)
        for path in sorted(seen.elsewhere)
    ]
    found += [
        Obstacle(host, "the training connects to it: what it gets may be another thing tomorrow",
                 "Bring the data in with a version: dvc import-url ADDRESS")
        for host in sorted(seen.hosts)
    ]  # fmt: skip
    found += [
        Obstacle(path, "the training reads it and writes it again, so the next one starts from something else",
                 "Write to another file.")
        for path in sorted(seen.both)
    ]  # fmt: skip
    return found


def _differs(path: str) -> Obstacle:
    what = "two runs with the same inputs made two different files"
    return Obstacle(
        path, what, "Set every seed (random_state=0, np.random.seed(0)); take times out of what is written."
    )


def _under_dvc(copy: Path, plan: Plan, made: Adopted, stage: Stage) -> None:
    """Data that Git does not have; and what Git must leave out."""
    here = plan.here
    data, code = ([], []) if plan.is_pipeline else tracking.untracked(here, stage)
    for path in data:
        made.adds.append(tracking.track(copy, path))
        made.data.append(path)
    if code:
        made.notes.append(f"Read, and not in Git: {', '.join(code)}. Add: git add {shlex.join(code)}")
    for path in stage.deps if not plan.is_pipeline else []:
        if path in here.tracked and (here.root / path).stat().st_size > BIG:
            made.notes.append(
                f"{path} is data in Git. To DVC: git rm --cached {path} && {plan.dvc} add {path}"
            )
    if stage.in_git and not plan.is_pipeline:
        listed = shlex.join(sorted(stage.in_git))
        made.notes.append(
            f"Git tracks what the training makes: {listed}. A version needs it in DVC: git rm --cached {listed}, "
            "and take `cache: false` out of dvc.yaml."
        )
    lines = tracking.to_ignore(copy, None if plan.is_pipeline else stage, data)
    if not lines:
        return
    because = "without it DVC would write there at the next run, and a changed tree is not registered"
    existed = here.has(".gitignore")
    patch = patches.with_lines(
        ".gitignore", (here.root / ".gitignore").read_bytes() if existed else b"", lines, because
    )
    _put(copy / ".gitignore", patch.after)
    if existed:
        made.patches.append(patch)
    else:
        made.adds.append(".gitignore")


def _limits(made: Adopted, models: list[str]) -> list[str]:
    """What the kit cannot do yet here, and what it would need."""
    notes = []
    if made.ran and not made.figures:
        notes.append(
            "The training writes no metrics and prints no figure by a name that is known, so no gate can ask how good "
            'the model is. Print one, print(f"accuracy: {value}"), or write metrics.json; then add a gate to mlops.yaml.'
        )
    if not models:
        notes.append("No file looks like the model: name it under `artifacts` in mlops.yaml.")
    notes.append(
        "Gates are limited: without `predictions` there is no comparison with the version in use and no interval, without "
        "`commands.predict` no latency. The reference of mlops.yaml says what each needs."
    )
    return notes


# ---- into the repository ----


def _bring(copy: Path, here: Place, made: Adopted, wishes: Wishes) -> None:
    """Moves what is new to its place and puts it into Git's index; undone where that fails."""
    made.applied = wishes.apply
    results = [pipelines.LOCK] if (copy / pipelines.LOCK).is_file() and not here.has(pipelines.LOCK) else []
    made.adds = sorted({*made.adds, *results})
    outs = [path for path in made.stage.made if (copy / path).exists()] if made.stage and made.ran else []
    with aside.held_back(), _undone() as moved:
        for path in [*made.adds, *outs]:
            if not here.has(path):
                moved += _move(copy / path, here.root / path)
        cache = copy / ".dvc/cache"
        if cache.is_dir() and not cache.is_symlink():
            moved += _move(cache, here.root / ".dvc/cache")
        moved.append(_exclude(here, made))
        run(["git", "add", "--force", "--", *made.adds], here.root)  # whatever their .gitignore says of ours
    if wishes.apply:
        for patch in made.patches:
            patch.apply(here.root)
        run(["git", "add", "--", *(patch.path for patch in made.patches)], here.root)
    elif made.patches:
        file = _of_git(here, "mlops-new.patch")
        patches.keep(made.patches, file)
        made.patch_file = (
            file.relative_to(here.root).as_posix() if file.is_relative_to(here.root) else str(file)
        )


def _of_git(here: Place, name: str) -> Path:
    return here.root / run(["git", "rev-parse", "--git-path", name], here.root).strip()


Undo = Callable[[], object]


@contextmanager
def _undone() -> Iterator[list[Undo]]:
    done: list[Undo] = []
    try:
        yield done
    except BaseException:
        for undo in reversed(done):
            undo()
        raise


def _move(source: Path, target: Path) -> list[Undo]:
    """By renaming, or by copying where the copy is on another file system."""
    undo: list[Undo] = []
    missing = [parent for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    undo += [parent.rmdir for parent in reversed(missing)]
    shutil.move(source, target)
    undo.append(lambda: shutil.rmtree(target) if target.is_dir() else target.unlink())
    return undo


def _exclude(here: Place, made: Adopted) -> Undo:
    """Until the .gitignore has them, the lines that it lacks stand in this clone's own list."""
    file = _of_git(here, "info/exclude")
    before = file.read_bytes() if file.is_file() else b""
    patch = next((one for one in made.patches if one.path == ".gitignore"), None)
    if patch and not made.applied:
        lines = patch.after[len(patch.before) :].decode().strip().splitlines()
        _put(
            file,
            patches.with_lines(
                file.name, before, ["# by mlops-new adopt, until .gitignore has it:", *lines], ""
            ).after,
        )
    return lambda: file.write_bytes(before)


def shown(path: Path) -> str:
    """The path as the person would type it from where they stand."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
