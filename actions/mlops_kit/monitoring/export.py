"""What a check compared, for the tools of tiers that show it in their own way: files, and the hooks that read them.

The tools see what the check saw: the same draw of the same rows, only the columns that are compared, and of those
what is compared. So no key, no label and no free text leaves in a report.
"""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.data import tables
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring.check import Checked
from mlops_kit.monitoring.checks import seasons
from mlops_kit.monitoring.checks.data_drift import LEAST_ROWS, compared_rows
from mlops_kit.monitoring.reference import FOLDER, Reference
from mlops_kit.monitoring.window_file import Whole
from mlops_kit.predictions_log import window as windows
from mlops_kit.predictions_log.window import Window
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Hook
from mlops_kit.runs import hooks
from mlops_kit.runs.events import Journal
from mlops_kit.statistics import bins, distances
from mlops_kit.statistics.resampling import LEVEL

HOOK: Hook = "after_monitor"
LAST, VIEWS = FOLDER / "last", "views"
WHOLE = FOLDER / "rows.parquet"  # of the check that is being made
GONE = ("missing column", "all null", "retyped")  # what was not compared
Rows = npt.NDArray[np.intp]


@dataclass
class Compared:
    """What a check looked at; empty until it did. `kept`: where all rows of the window go, None where no tool asks for them."""

    kept: Path | None = None
    reference: Reference | None = None
    window: Window | None = None
    whole: Whole | None = None

    def begin(self, reference: Reference) -> windows.Each | None:
        if self.kept is None:
            return None
        self.whole = Whole(self.kept, reference.cells)
        return self.whole.add

    def close(self) -> None:
        if self.whole:
            self.whole.drop()

    def take(self, reference: Reference, window: Window) -> None:
        self.reference, self.window = reference, window


@dataclass(frozen=True)
class Handed:
    like: Reference  # its rows of the window's season
    reference: pa.Table
    window: pa.Table


def hand_over(
    repository: Repository,
    contract: Contract,
    journal: Journal,
    found: Checked,
    compared: Compared,
    content: str,
    say: Say,
    to: Path | None,
) -> None:
    """Writes what was compared, and `content`, which the check prints, and runs the hooks of tiers.

    Views of an earlier check are gone; they come into the folder `to`, which another job takes over, or stay here. What
    fails is a warning: the verdict stands.
    """
    views = (to or repository.root / FOLDER).absolute() / VIEWS
    shutil.rmtree(views, ignore_errors=True)
    try:
        handed = _handed(repository, contract, found, compared)
        if handed is None:
            say("Nothing was compared, so tiers have nothing to show.")
            return
        folder = _write(repository.root / LAST, handed, found, content, compared.whole)
        views.mkdir(parents=True)
    except (KitError, OSError, pa.ArrowException) as error:
        say(f"warning: tiers were not told of this check. {error}")
        return
    names = {"check": "check.json", "limits": "limits.json"}
    names |= {part: f"{part}.parquet" for part in ("reference", "window", "rows")}
    given = {name: str(folder / file) for name, file in names.items()}
    failed = hooks.run_hooks(contract, repository, HOOK, journal, say, **given, views=str(views))
    if len(failed) < len(contract.hooks[HOOK]):
        say(f"Views: {views}")


def _handed(repository: Repository, contract: Contract, found: Checked, compared: Compared) -> Handed | None:
    """None where too few rows, or no columns, were compared."""
    reference, window = compared.reference, compared.window
    if reference is None or window is None or not _was_compared(found):
        return None
    gone = {one.column for one in found.data.changes if one.kind in GONE}
    columns = [one for one in reference.cells if one.name in window.drawn and one.name not in gone]
    if not columns:
        return None
    all_rows = references.drawn(repository, contract, found.version)
    like, chosen = _of_the_season(reference, window, all_rows, contract.monitoring.time)
    length = len(next(iter(window.drawn.values())))
    ours = compared_rows(length, found.data.compared)

    def table(of: Window, at: Rows) -> pa.Table:
        drawn = [bins.plain(of.drawn[one.name]).take(pa.array(at)) for one in columns]
        return pa.table({one.name: one.compared(values) for one, values in zip(columns, drawn, strict=True)})

    return Handed(like, table(all_rows, chosen), table(window, ours))


def _was_compared(found: Checked) -> bool:
    return bool(found.data.visible) and found.data.compared >= LEAST_ROWS


def _of_the_season(
    reference: Reference, window: Window, all_rows: Window, time: str | None
) -> tuple[Reference, Rows]:
    """What the check compared with, and where those rows are among all of the reference."""
    order, times = references.in_order(all_rows, time)
    if len(order) != len(reference.codes):
        raise KitError(
            f"The reference has {len(reference.codes)} rows and its files {len(order)}.",
            "Make it again: `mlops-kit monitor calibrate`.",
        )
    places: Any = np.arange(len(order))[:, None]
    at = seasons.alike(replace(reference, codes=places, times=times), window, time)[0].codes[:, 0]
    return replace(reference, codes=reference.codes[at]), order[at]


def _write(folder: Path, handed: Handed, found: Checked, content: str, whole: Whole | None) -> Path:
    """Whole or not at all."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    (new / "check.json").write_text(content + "\n", encoding="utf-8")
    (new / "limits.json").write_text(json.dumps(_limits(handed, found), indent=2) + "\n", encoding="utf-8")
    tables.write(handed.reference, new / "reference.parquet")
    tables.write(handed.window, new / "window.parquet")
    if whole:
        whole.give(handed.window.column_names, new / "rows.parquet")
    shutil.rmtree(folder, ignore_errors=True)
    return new.replace(folder)


def _limits(handed: Handed, found: Checked) -> dict[str, Any]:
    kinds = {one.name: one for one in handed.like.cells if one.name in handed.window.column_names}
    different = {name: pc.count_distinct(handed.reference[name]).as_py() for name in kinds}
    coarse = {name for name, one in kinds.items() if one.is_ordered and different[name] > one.size}
    made = distances.limits(handed.like.resampling, found.data.compared, set(kinds), coarse)
    return {
        "version": found.version,
        "rows": {"reference": len(handed.reference), "window": len(handed.window)},
        "false_alarms_at_most": LEVEL,  # of all columns together
        "columns": {name: {"kind": kinds[name].kind, **one} for name, one in made.items()},
    }
