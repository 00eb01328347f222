"""Was it code, data, parameters or environment? What made two versions different, told apart exactly."""

from dataclasses import dataclass

from mlops_kit.base.errors import KitError
from mlops_kit.project import pipeline
from mlops_kit.project.repository import Repository
from mlops_kit.versions import description, records, version
from mlops_kit.versions.differences import Differences, ValueChange, between
from mlops_kit.versions.record import Record
from mlops_kit.versions.version import Version

NAMES = {"code": "code", "data": "data", "params": "parameters", "env": "environment"}


@dataclass(frozen=True)
class Changed:
    """What a stage of the pipeline reads, and what it runs with; nothing else can change a result."""

    code: bool
    data: bool
    params: bool
    env: bool

    @property
    def names(self) -> list[str]:
        return [name for key, name in NAMES.items() if getattr(self, key)]


@dataclass(frozen=True)
class Why:
    before: str
    after: str
    changed: Changed
    code: list[str]  # files of the pipeline, and stages whose definition changed
    beside: list[str]  # files that no stage reads
    params: list[ValueChange]
    differences: Differences
    notes: list[str]
    dirty: list[str]  # what is not committed here, and so in neither version

    @property
    def says(self) -> str:
        names = self.changed.names
        if not names:
            return f"Nothing that the pipeline reads changed from {self.before} to {self.after}."
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"From {self.before} to {self.after} the {listed} changed."


def pair(repository: Repository, model: str, before: str, after: str) -> tuple[Version, Version]:
    """The two versions to compare: those named, or one and the version before it, or the newest two.

    Raises KitError where there is no version before.
    """
    if before and after:
        return version.find(repository, model, before), version.find(repository, model, after)
    known = version.versions(repository, model)
    new = version.find(repository, model, before) if before else known[-1] if known else None
    place = known.index(new) if new else 0
    if new is None or place == 0:
        what = f"{new.name} is the first version" if new else f"{model} has no version yet"
        raise KitError(
            f"{what}: there is nothing before it.", "Name two versions; `mlops-kit versions` lists them."
        )
    return known[place - 1], new


def why(repository: Repository, old: Version, new: Version) -> Why:
    """Raises KitError when one of the two has no record."""
    before, after = _record(repository, old), _record(repository, new)
    differences = between(before, after, repository)
    definition = pipeline.DefinitionChanges(repository, old.tag, new.tag)
    changes = (*_interpolated_changes(definition, before, after), *differences.parameters)
    params = {change.name: change for change in changes}
    code = _code(differences, definition, before, after)
    changed = Changed(bool(code), bool(differences.data), bool(params), bool(differences.environment))
    beside = [file.path for file in differences.files if file.path not in code and not file.is_pipeline]
    ordered = [params[name] for name in sorted(params)]
    notes = _notes(differences, changed)
    return Why(
        old.name,
        new.name,
        changed,
        code,
        beside,
        ordered,
        differences,
        notes,
        repository.dirty(*records.OWN),
    )


def _record(repository: Repository, chosen: Version) -> Record:
    version_record = records.read(repository, chosen)
    if version_record is None:
        raise KitError(
            f"{chosen.tag} has no record: `mlops-kit register` did not make it, so nothing says what it was made of.",
            f"`git diff {chosen.tag} OTHER` compares the files.",
        )
    return version_record


def _code(
    differences: Differences, definition: pipeline.DefinitionChanges, before: Record, after: Record
) -> list[str]:
    """The files in the two records that differ, and the stages that were rewritten. Needs no history of Git."""
    old, new = ({file.path: file.md5 for file in record.code.files} for record in (before, after))
    files = sorted(path for path in {**old, **new} if old.get(path) != new.get(path))
    return files + definition.rewritten()


def _interpolated_changes(
    definition: pipeline.DefinitionChanges, before: Record, after: Record
) -> list[ValueChange]:
    """`${x}` in dvc.yaml is a parameter too, also where no stage says so."""
    known = [*before.parameters, *after.parameters]
    return [
        ValueChange(name, old, new)
        for name, (old, new) in definition.moved().items()
        if not any(parameter == name or parameter.startswith(f"{name}.") for parameter in known)
    ]


def _notes(differences: Differences, changed: Changed) -> list[str]:
    notes = []
    if changed.data and not differences.tables:
        notes.append("The data is told apart by hash, size and rows: the records do not sum up its columns.")
    if differences.shallow:
        notes.append("This clone's history does not reach back: commits are missing, the rest is exact.")
    if not changed.names and [metric for metric in differences.metrics if metric.difference]:
        notes.append(
            "The metrics differ all the same: `mlops-kit verify` looks for what is not reproducible."
        )
    return notes


def in_words(answer: Why) -> str:
    """Markdown, as in the description of a version, with what did not change named too."""
    parts = description.sections(answer.differences)
    paragraphs = [answer.says]
    if answer.changed.code:
        paragraphs.append("Code: " + ", ".join(answer.code))
    shown = {"Data": answer.changed.data, "Environment": answer.changed.env}
    for head, changed in shown.items():
        if changed:
            paragraphs.append("\n".join([f"{head}:", *parts.get(head, [])]))
    if answer.params:
        paragraphs.append(
            "\n".join(["Parameters:", *(f"- {description.change(parameter)}" for parameter in answer.params)])
        )
    if same := [name for key, name in NAMES.items() if not getattr(answer.changed, key)]:
        paragraphs.append("The same: " + ", ".join(same) + ".")
    if commits := [line for line in parts.get("Code", []) if not line.startswith("- Command of ")]:
        paragraphs.append("\n".join(["What happened in Git in between:", *commits]))
    if "Metrics" in parts:
        paragraphs.append("\n".join(["Metrics:", *parts["Metrics"]]))
    if answer.dirty:
        shown_paths = ", ".join(answer.dirty[:5]) + (", ..." if len(answer.dirty) > 5 else "")
        paragraphs.append(f"Not committed here, so in neither version: {shown_paths}.")
    return "\n\n".join([*paragraphs, *answer.notes])
