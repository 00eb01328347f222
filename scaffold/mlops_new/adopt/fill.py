"""Make in a copy everything that the repository will get, and run the training there."""

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mlops_new.adopt.plan import Plan, stage_from_code
from mlops_new.adopt.read.entry_point import EntryPoint
from mlops_new.adopt.read.metrics import read_metrics
from mlops_new.adopt.read.obstacles import Obstacle
from mlops_new.adopt.read.repository import Repository
from mlops_new.adopt.request import AdoptRequest
from mlops_new.adopt.result import Adoption
from mlops_new.adopt.run import packages
from mlops_new.adopt.run.observation import Observation, observe
from mlops_new.adopt.run.packages import PINS
from mlops_new.adopt.run.working_copy import scratch_folder
from mlops_new.adopt.write import dvc_data, dvc_yaml, mlops_yaml, patches, stages
from mlops_new.adopt.write.patches import Patch, write_file
from mlops_new.adopt.write.stages import RUN, Stage
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError
from mlops_new.base.progress import Progress
from mlops_new.template import releases, render
from mlops_new.template.answers import ANSWERS

BIG = 1_000_000


def render_files(into: Path, request: AdoptRequest, adoption: Adoption, repo: Repository) -> list[str]:
    """Render the template, and return the files that the repository does not have yet."""
    answers = {"project_name": adoption.name, "adopted": True, "kit": request.kit}
    render.render(into, answers | {"main_branch": repo.branch})
    if repo.has(ANSWERS):  # another template's
        (into / ANSWERS).rename(into / ".copier-answers.mlops-new.yml")
    if repo.has(".dvc/config"):
        shutil.rmtree(into / ".dvc")
    names = [path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file()]
    return [path for path in names if not repo.has(path)]


def fill(copy: Path, plan: Plan, request: AdoptRequest, adoption: Adoption, progress: Progress) -> None:
    """Make in the copy everything that the repository will get, and note it in the adoption."""
    folder = scratch_folder(copy) / "rendered"
    folder.mkdir()
    for path in render_files(folder, request, adoption, plan.repo):
        write_file(copy / path, (folder / path).read_bytes())
        adoption.adds.append(path)
    for path, text in plan.packages.adds.items():
        _add(copy, adoption, path, text)
    if PINS in plan.packages.environment:
        progress("Finding packages")
        _add(copy, adoption, PINS, packages.pins(plan.packages, copy))
    if not plan.is_pipeline:
        write_file(copy / RUN, (Path(__file__).parent / "write" / RUN).read_bytes())
    stage, observation = (_run_training if request.run else _read_code)(copy, plan, adoption, progress)
    if RUN in stage.deps:
        adoption.adds.append(RUN)
    else:
        (copy / RUN).unlink(missing_ok=True)
    adoption.stage = stage
    before = stages.fingerprint(copy, stage)
    _track_data(copy, plan, adoption, stage)
    if not plan.is_pipeline:
        _add(copy, adoption, dvc_yaml.FILE, dvc_yaml.text(stage, plan.dvc))
    if observation and not plan.is_pipeline:
        progress(f"Running it again, as a stage of {dvc_yaml.FILE}")
        _run(copy, plan, plan.packages.with_run("dvc", "repro"))
        after = stages.fingerprint(copy, stage)
        changed = [path for path in before if before[path] != after.get(path)]
        adoption.same = not changed
        adoption.obstacles += [_obstacle_of_difference(path) for path in changed]
    adoption.metrics = read_metrics(copy / stage.metrics) if observation and stage.metrics else {}
    if observation and plan.is_pipeline and request.apply:
        adoption.stage = stage = _run_as_declared(copy, plan, adoption, stage, progress)
    models = [path for path in stage.models if path not in stage.in_git]
    _add(copy, adoption, "mlops.yaml", mlops_yaml.text(
        adoption.name, releases.current().removeprefix("v"), plan.packages, models, stage.metrics or "metrics.json",
        adoption.metrics, copy))  # fmt: skip
    adoption.ran = observation is not None
    adoption.notes += _limits(adoption, models)


def _add(copy: Path, adoption: Adoption, path: str, text: str) -> None:
    write_file(copy / path, text.encode())
    adoption.adds.append(path)


def _read_code(copy: Path, plan: Plan, adoption: Adoption, progress: Progress) -> tuple[Stage, None]:
    return stage_from_code(plan), None


def _run_training(
    copy: Path, plan: Plan, adoption: Adoption, progress: Progress
) -> tuple[Stage, Observation]:
    """Run the training, and return its stage with the files that it read and wrote."""
    if plan.is_pipeline:
        progress("Running every stage of dvc.yaml, to see what each reads and writes")
        observation = _run(copy, plan, plan.packages.with_run("dvc", "repro", "--force"))
        stage = dvc_yaml.as_stage(plan.repo, plan.dvc, copy)
        if any(one.get("wdir") for one in dvc_yaml.stages(plan.repo).values()):
            adoption.notes.append(
                "dvc.yaml: a stage has `wdir`, and the kit reads the paths of dvc.lock from the root."
            )
        additions, metrics = dvc_yaml.find_undeclared(plan.repo, observation, copy)
        stage = stage if stage.metrics else replace(stage, metrics=metrics)
        _propose_declarations(plan.repo, additions, adoption)
    else:
        words = stages.command(plan.entry, "")
        progress(f"Running {plan.entry.path} in a copy, to see what it reads and writes")
        observation = _run(copy, plan, plan.packages.with_run(*words))
        stage = stages.from_run(plan.repo, plan.entry, observation, copy)
    adoption.obstacles += _obstacles_of_run(observation)
    return stage, observation


def _run(copy: Path, plan: Plan, words: Sequence[str]) -> Observation:
    try:
        return observe(copy, words)
    except ProcessError as error:
        output = error.last_words(20).replace(f"{copy}/", "")
        output = output[max(0, output.find("Exception encountered at")) :]  # without papermill's own lines
        what = f"{plan.entry.path} fails when it is run:\n{output}"
        raise MlopsNewError(what, f"{_advice(plan.entry, output)}\nThe repository is as it was.") from error


def _advice(entry: EntryPoint, output: str) -> str:
    if "arguments are required" in output or "Missing option" in output or "Missing argument" in output:
        return f"It needs arguments. Name them: --entry '{entry.path} ARGUMENT...'"
    if "ModuleNotFoundError" in output or "No module named" in output:
        return "Add the package to requirements.txt or pyproject.toml, commit, and adopt again."
    if "FileNotFoundError" in output or "No such file" in output:
        return "What it reads must be in the repository: bring the data, and adopt again; or write without running: --no-run"
    return "When it is mended, adopt again; or write without running: --no-run"


def _propose_declarations(
    repo: Repository, additions: dict[str, dict[str, list[str]]], adoption: Adoption
) -> None:
    if not additions:
        return
    if patch := dvc_yaml.make_patch(repo, additions):
        adoption.patches.append(patch)
        return
    for name, kinds in additions.items():
        for key, paths in kinds.items():
            adoption.notes.append(f"dvc.yaml: stage {name} should name under `{key}`: {', '.join(paths)}")


def _run_as_declared(copy: Path, plan: Plan, adoption: Adoption, stage: Stage, progress: Progress) -> Stage:
    """Run the pipeline again with the completed dvc.yaml, so that dvc.lock fits."""
    patch = next((one for one in adoption.patches if one.path == dvc_yaml.FILE), None)
    if patch is None:
        return stage
    progress("Running the stages again, with what dvc.yaml names now")
    write_file(copy / dvc_yaml.FILE, patch.after)
    _run(copy, plan, plan.packages.with_run("dvc", "repro"))
    if plan.repo.has(dvc_yaml.LOCK):
        before, after = ((root / dvc_yaml.LOCK).read_bytes() for root in (plan.repo.root, copy))
        adoption.patches.append(Patch(dvc_yaml.LOCK, before, after, "it says what the changed dvc.yaml made"))
    return replace(dvc_yaml.as_stage(plan.repo, plan.dvc, copy), metrics=stage.metrics)


def _obstacles_of_run(observation: Observation) -> list[Obstacle]:
    """The obstacles that only a run shows."""
    bring = "Copy it into the repository, read it from there, and adopt again."
    obstacles = [
        Obstacle(path, "it is read, and it is outside of the repository", bring)
        for path in sorted(observation.elsewhere)
    ]
    obstacles += [
        Obstacle(host, "the training connects to it: what it gets may be another thing tomorrow",
                 "Bring the data in with a version: dvc import-url ADDRESS")
        for host in sorted(observation.hosts)
    ]  # fmt: skip
    obstacles += [
        Obstacle(path, "the training reads it and writes it again, so the next one starts from something else",
                 "Write to another file.")
        for path in sorted(observation.both)
    ]  # fmt: skip
    return obstacles


def _obstacle_of_difference(path: str) -> Obstacle:
    what = "two runs with the same inputs made two different files"
    return Obstacle(
        path, what, "Set every seed (random_state=0, np.random.seed(0)); take times out of what is written."
    )


def _track_data(copy: Path, plan: Plan, adoption: Adoption, stage: Stage) -> None:
    """Put the data that Git does not track under DVC, and add what Git must ignore to .gitignore."""
    repo = plan.repo
    data, code = ([], []) if plan.is_pipeline else dvc_data.untracked(repo, stage)
    for path in data:
        adoption.adds.append(dvc_data.track(copy, path))
        adoption.data.append(path)
    if code:
        adoption.notes.append(f"Read, and not in Git: {', '.join(code)}. Add: git add {shlex.join(code)}")
    for path in stage.deps if not plan.is_pipeline else []:
        if path in repo.tracked and (repo.root / path).stat().st_size > BIG:
            adoption.notes.append(
                f"{path} is data in Git. To DVC: git rm --cached {path} && {plan.dvc} add {path}"
            )
    if stage.in_git and not plan.is_pipeline:
        listed = shlex.join(sorted(stage.in_git))
        adoption.notes.append(
            f"Git tracks what the training makes: {listed}. A version needs it in DVC: git rm --cached {listed}, "
            "and take `cache: false` out of dvc.yaml."
        )
    lines = dvc_data.ignore_lines(copy, None if plan.is_pipeline else stage, data)
    if not lines:
        return
    because = "without it DVC would write there at the next run, and a changed tree is not registered"
    existed = repo.has(".gitignore")
    patch = patches.with_lines(
        ".gitignore", (repo.root / ".gitignore").read_bytes() if existed else b"", lines, because
    )
    write_file(copy / ".gitignore", patch.after)
    if existed:
        adoption.patches.append(patch)
    else:
        adoption.adds.append(".gitignore")


def _limits(adoption: Adoption, models: list[str]) -> list[str]:
    """What the kit cannot do here yet, and what it needs for it."""
    notes = []
    if adoption.ran and not adoption.metrics:
        notes.append(
            "The training writes no metrics and prints no figure by a name that is known, so no gate can ask how good "
            'the model is. Print one, print(f"accuracy: {value}"), or write metrics.json; then add a gate to mlops.yaml.'
        )
    if not models:
        notes.append("No file looks like the model: name it under `artifacts` in mlops.yaml.")
    notes.append(
        "Gates are limited: without `predictions` there is no comparison with the version in use and no interval, without "
        "`commands.latency` no latency. The reference of mlops.yaml says what each needs."
    )
    return notes
