"""What is known before anything runs: what trains, what its code names, with which packages."""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mlops_new.adopt.read import entry_point as entries
from mlops_new.adopt.read.entry_point import Entry, Found
from mlops_new.adopt.read.file_uses import Use, uses
from mlops_new.adopt.read.repository import Place
from mlops_new.adopt.read.source import Source
from mlops_new.adopt.run import packages
from mlops_new.adopt.run.packages import PINS, Packages
from mlops_new.adopt.write import dvc_data, dvc_yaml, stages
from mlops_new.adopt.write.stages import RUN, Stage
from mlops_new.base.errors import MlopsNewError


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
class Plan:
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


def look(here: Place, wishes: Wishes) -> Plan:
    """What trains, what it needs, and with which packages."""
    found = entries.look(here)
    pipeline = dvc_yaml.stages(here)
    if pipeline and not wishes.entry:
        why = [f"it has {len(pipeline)} stages: {', '.join(pipeline)}"]
        sources = list(found.sources.values())
        entry = Entry(dvc_yaml.FILE, "pipeline", why=why)
    elif here.has(dvc_yaml.FILE):
        raise MlopsNewError(
            f"There is a {dvc_yaml.FILE}, which is not changed, so {wishes.entry or 'a training'} cannot become a stage.",
            f"Add it: dvc stage add --name train ...; commit {dvc_yaml.FILE}, and adopt without --entry.",
        )
    else:
        entry = entries.named(here, found, wishes.entry) if wishes.entry else entries.choose(found, here)
        one = found.sources[entry.path]
        sources = [one, *(found.sources[path] for path in entries.imported(one, found.sources))]
        entry = _settled(here, entry, [use for each in sources for use in of(each, here)])
    every = [use for each in sources for use in of(each, here)]
    return Plan(here, found, entry, sources, every, packages.find(here, entry, sources, wishes.python))


def of(source: Source, here: Place) -> list[Use]:
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


def of_code(plan: Plan) -> Stage:
    if plan.is_pipeline:
        return dvc_yaml.as_stage(plan.here, plan.dvc, plan.here.root)
    return stages.of_code(plan.here, plan.entry, plan.uses, [one.path for one in plan.sources])


def needed(plan: Plan) -> set[str]:
    """What must be copied where nothing runs: what Git tracks, and the data that is read."""
    return {*plan.here.tracked, *of_code(plan).deps}


def planned(plan: Plan, stage: Stage) -> list[str]:
    """Beside what the template has."""
    own = [] if plan.is_pipeline else [dvc_yaml.FILE]
    own += [RUN] if RUN in stage.deps else []
    own += [PINS] if PINS in plan.packages.environment else []
    data, _ = dvc_data.untracked(plan.here, stage)
    return [*own, "mlops.yaml", *plan.packages.adds, *(f"{path}.dvc" for path in data)]
