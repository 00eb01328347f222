"""The plan of an adoption, from reading alone: what trains, which files its code names, which packages it needs."""

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from mlops_new.adopt.read import entry_point as entries
from mlops_new.adopt.read.entry_point import Codebase, EntryPoint
from mlops_new.adopt.read.file_uses import FileUse, find_uses
from mlops_new.adopt.read.repository import Repository
from mlops_new.adopt.read.source import Source
from mlops_new.adopt.request import AdoptRequest
from mlops_new.adopt.run import packages
from mlops_new.adopt.run.packages import PINS, Packages
from mlops_new.adopt.write import dvc_data, dvc_yaml, stages
from mlops_new.adopt.write.stages import RUN, Stage
from mlops_new.base.errors import MlopsNewError


@dataclass
class Plan:
    """`sources`: the entry point and the files that it imports."""

    repo: Repository
    codebase: Codebase
    entry: EntryPoint
    sources: list[Source]
    uses: list[FileUse]
    packages: Packages

    @property
    def is_pipeline(self) -> bool:
        return self.entry.kind == "pipeline"

    @property
    def dvc(self) -> str:
        return f"{self.packages.run} dvc"


def make_plan(repo: Repository, request: AdoptRequest) -> Plan:
    """Find the entry point, its files and its packages. Raises MlopsNewError if nothing trains."""
    codebase = entries.scan(repo)
    pipeline = dvc_yaml.stages(repo)
    if pipeline and not request.entry:
        why = [f"it has {len(pipeline)} stages: {', '.join(pipeline)}"]
        sources = list(codebase.sources.values())
        entry = EntryPoint(dvc_yaml.FILE, "pipeline", why=why)
    elif repo.has(dvc_yaml.FILE):
        raise MlopsNewError(
            f"There is a {dvc_yaml.FILE}, which is not changed, so {request.entry or 'a training'} cannot become a stage.",
            f"Add it: dvc stage add --name train ...; commit {dvc_yaml.FILE}, and adopt without --entry.",
        )
    else:
        entry = (
            entries.from_option(repo, codebase, request.entry)
            if request.entry
            else entries.choose(codebase, repo)
        )
        file = codebase.sources[entry.path]
        sources = [file, *(codebase.sources[path] for path in entries.imported_files(file, codebase.sources))]
        entry = _with_folder(repo, entry, [use for source in sources for use in file_uses(source, repo)])
    uses = [use for source in sources for use in file_uses(source, repo)]
    return Plan(
        repo, codebase, entry, sources, uses, packages.find_packages(repo, entry, sources, request.python)
    )


def file_uses(source: Source, repo: Repository) -> list[FileUse]:
    """The files that the code of this source names."""
    return find_uses(source, (repo.root / source.path).as_posix())


def _with_folder(repo: Repository, entry: EntryPoint, uses: list[FileUse]) -> EntryPoint:
    """Let a script run in its own folder if more of the files that it reads exist from there than from the root."""
    folder = PurePosixPath(entry.path).parent.as_posix()
    if entry.kind != "script" or folder == ".":
        return entry
    reads = [
        use.path for use in uses if use.how == "read" and not use.is_address and not use.path.startswith("/")
    ]
    from_root = [path for path in reads if repo.has(path)]
    from_folder = [path for path in reads if (repo.root / folder / path).exists()]
    return replace(entry, inside=folder) if len(from_folder) > len(from_root) else entry


def stage_from_code(plan: Plan) -> Stage:
    """The stage that the training becomes, as far as the code says it."""
    if plan.is_pipeline:
        return dvc_yaml.as_stage(plan.repo, plan.dvc, plan.repo.root)
    return stages.from_code(plan.repo, plan.entry, plan.uses, [source.path for source in plan.sources])


def files_to_copy(plan: Plan) -> set[str]:
    """The files that a copy needs if nothing runs: those that Git tracks, and the data that is read."""
    return {*plan.repo.tracked, *stage_from_code(plan).deps}


def files_to_add(plan: Plan, stage: Stage) -> list[str]:
    """The files that are added beside those of the template."""
    own = [] if plan.is_pipeline else [dvc_yaml.FILE]
    own += [RUN] if RUN in stage.deps else []
    own += [PINS] if PINS in plan.packages.environment else []
    data, _ = dvc_data.untracked(plan.repo, stage)
    return [*own, "mlops.yaml", *plan.packages.adds, *(f"{path}.dvc" for path in data)]
