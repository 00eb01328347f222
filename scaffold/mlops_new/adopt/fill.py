"""Makes, in a copy, all that the repository will get; and runs the training there."""

import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mlops_new.adopt.plan import Plan, Wishes, of_code
from mlops_new.adopt.read.entry_point import Entry
from mlops_new.adopt.read.metrics import figures
from mlops_new.adopt.read.obstacles import Obstacle
from mlops_new.adopt.read.repository import Place
from mlops_new.adopt.result import Adopted
from mlops_new.adopt.run import observation, packages
from mlops_new.adopt.run.observation import Seen
from mlops_new.adopt.run.packages import PINS
from mlops_new.adopt.write import dvc_data, dvc_yaml, mlops_yaml, patches, stages
from mlops_new.adopt.write.patches import Patch, put
from mlops_new.adopt.write.stages import RUN, Stage
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError
from mlops_new.template import releases, render
from mlops_new.template.answers import ANSWERS

Say = Callable[[str], None]
BIG = 1_000_000


def rendered(into: Path, wishes: Wishes, made: Adopted, here: Place) -> list[str]:
    """Renders what operates a repository; the files that are not there yet."""
    answers = {"project_name": made.name, "adopted": True, "kit": wishes.kit}
    render.render(into, answers | {"main_branch": here.branch})
    if here.has(ANSWERS):  # another template's
        (into / ANSWERS).rename(into / ".copier-answers.mlops-new.yml")
    if here.has(".dvc/config"):
        shutil.rmtree(into / ".dvc")
    found = [path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file()]
    return [path for path in found if not here.has(path)]


def fill(copy: Path, plan: Plan, wishes: Wishes, made: Adopted, say: Say) -> None:
    """Makes in the copy all that the repository will get."""
    folder = observation.desk(copy) / "rendered"
    folder.mkdir()
    for path in rendered(folder, wishes, made, plan.here):
        put(copy / path, (folder / path).read_bytes())
        made.adds.append(path)
    for path, text in plan.packages.adds.items():
        _add(copy, made, path, text)
    if PINS in plan.packages.environment:
        say("Finding packages")
        _add(copy, made, PINS, packages.pins(plan.packages, copy))
    if not plan.is_pipeline:
        put(copy / RUN, (Path(__file__).parent / "write" / RUN).read_bytes())
    stage, seen = (_watched if wishes.run else _unwatched)(copy, plan, made, say)
    if RUN in stage.deps:
        made.adds.append(RUN)
    else:
        (copy / RUN).unlink(missing_ok=True)
    made.stage = stage
    before = stages.fingerprint(copy, stage)
    _under_dvc(copy, plan, made, stage)
    if not plan.is_pipeline:
        _add(copy, made, dvc_yaml.FILE, mlops_yaml.pipeline(stage, plan.dvc))
    if seen and not plan.is_pipeline:
        say(f"Running it again, as a stage of {dvc_yaml.FILE}")
        _run(copy, plan, plan.packages.with_run("dvc", "repro"))
        after = stages.fingerprint(copy, stage)
        changed = [path for path in before if before[path] != after.get(path)]
        made.same = not changed
        made.obstacles += [_differs(path) for path in changed]
    made.figures = figures(copy / stage.metrics) if seen and stage.metrics else {}
    if seen and plan.is_pipeline and wishes.apply:
        made.stage = stage = _as_declared(copy, plan, made, stage, say)
    models = [path for path in stage.models if path not in stage.in_git]
    _add(copy, made, "mlops.yaml", mlops_yaml.contract(
        made.name, releases.current().removeprefix("v"), plan.packages, models, stage.metrics or "metrics.json",
        made.figures, copy))  # fmt: skip
    made.ran = seen is not None
    made.notes += _limits(made, models)


def _add(copy: Path, made: Adopted, path: str, text: str) -> None:
    put(copy / path, text.encode())
    made.adds.append(path)


def _unwatched(copy: Path, plan: Plan, made: Adopted, say: Say) -> tuple[Stage, None]:
    return of_code(plan), None


def _watched(copy: Path, plan: Plan, made: Adopted, say: Say) -> tuple[Stage, Seen]:
    """Runs what trains, and takes what it was seen to read and write."""
    if plan.is_pipeline:
        say("Running every stage of dvc.yaml, to see what each reads and writes")
        seen = _run(copy, plan, plan.packages.with_run("dvc", "repro", "--force"))
        stage = dvc_yaml.as_stage(plan.here, plan.dvc, copy)
        if any(one.get("wdir") for one in dvc_yaml.stages(plan.here).values()):
            made.notes.append(
                "dvc.yaml: a stage has `wdir`, and the kit reads the paths of dvc.lock from the root."
            )
        wanted, metrics = dvc_yaml.undeclared(plan.here, seen, copy)
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
        return observation.observe(copy, words)
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
    if patch := dvc_yaml.patch(here, wanted):
        made.patches.append(patch)
        return
    for name, kinds in wanted.items():
        for key, paths in kinds.items():
            made.notes.append(f"dvc.yaml: stage {name} should name under `{key}`: {', '.join(paths)}")


def _as_declared(copy: Path, plan: Plan, made: Adopted, stage: Stage, say: Say) -> Stage:
    """The pipeline again, with what its dvc.yaml names now; its lock follows."""
    patch = next((one for one in made.patches if one.path == dvc_yaml.FILE), None)
    if patch is None:
        return stage
    say("Running the stages again, with what dvc.yaml names now")
    put(copy / dvc_yaml.FILE, patch.after)
    _run(copy, plan, plan.packages.with_run("dvc", "repro"))
    if plan.here.has(dvc_yaml.LOCK):
        before, after = ((root / dvc_yaml.LOCK).read_bytes() for root in (plan.here.root, copy))
        made.patches.append(Patch(dvc_yaml.LOCK, before, after, "it says what the changed dvc.yaml made"))
    return replace(dvc_yaml.as_stage(plan.here, plan.dvc, copy), metrics=stage.metrics)


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
    data, code = ([], []) if plan.is_pipeline else dvc_data.untracked(here, stage)
    for path in data:
        made.adds.append(dvc_data.track(copy, path))
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
    lines = dvc_data.to_ignore(copy, None if plan.is_pipeline else stage, data)
    if not lines:
        return
    because = "without it DVC would write there at the next run, and a changed tree is not registered"
    existed = here.has(".gitignore")
    patch = patches.with_lines(
        ".gitignore", (here.root / ".gitignore").read_bytes() if existed else b"", lines, because
    )
    put(copy / ".gitignore", patch.after)
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
