"""What a check compared, as files for the hooks of tiers, which show it in their own way.

A tool sees what the check saw: the same random sample of rows, only the columns that are compared, and of each value only
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
from mlops_kit.monitoring.inputs import Inputs
from mlops_kit.monitoring.reference import FOLDER, Reference
from mlops_kit.monitoring.window_file import WindowFile
from mlops_kit.predictions_log.window import Window
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Hook
from mlops_kit.runs import hooks
from mlops_kit.runs.events import Journal
from mlops_kit.statistics import bins, distances
from mlops_kit.statistics.resampling import LEVEL

HOOK: Hook = "after_monitor"
LAST, VIEWS = FOLDER / "last", "views"
GONE = ("missing column", "all null", "retyped")  # columns that were not compared
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Tables:
    """The compared rows and columns."""

    like: Reference  # of the window's season
    reference: pa.Table
    window: pa.Table


def for_tiers(
    repository: Repository,
    inputs: Inputs,
    checked: Checked,
    all_rows: WindowFile,
    journal: Journal,
    content: str,
    say: Say,
    handed: Path | None,
) -> None:
    """Writes what was compared, and `content`, the JSON result; then runs the hooks of tiers.

    The hooks write their views into `handed`, the folder for another job, or into .mlops/monitoring. Views of an earlier
    check are removed. A failure is a warning: it does not change the result.
    """
    views = (handed or repository.root / FOLDER).absolute() / VIEWS
    shutil.rmtree(views, ignore_errors=True)
    try:
        tables_of_check = _tables(repository, inputs, checked)
        if tables_of_check is None:
            say("Nothing was compared, so tiers have nothing to show.")
            return
        folder = _write(repository.root / LAST, tables_of_check, checked, content, all_rows)
        views.mkdir(parents=True)
    except (KitError, OSError, pa.ArrowException) as error:
        say(f"warning: tiers were not told of this check. {error}")
        return
    names = {"check": "check.json", "limits": "limits.json"}
    names |= {part: f"{part}.parquet" for part in ("reference", "window", "rows")}
    paths = {name: str(folder / file) for name, file in names.items()}
    contract = inputs.contract
    failed = hooks.run_hooks(contract, repository, HOOK, journal, say, **paths, views=str(views))
    if len(failed) < len(contract.hooks[HOOK]):
        say(f"Views: {views}")


def _tables(repository: Repository, inputs: Inputs, checked: Checked) -> Tables | None:
    """None if too few rows, or no columns, were compared."""
    reference, window, contract = inputs.reference, inputs.window, inputs.contract
    if reference is None or window is None or not _was_compared(checked):
        return None
    gone = {one.column for one in checked.data.changes if one.kind in GONE}
    columns = [one for one in reference.bins if one.name in window.drawn and one.name not in gone]
    if not columns:
        return None
    all_rows = references.drawn(repository, contract, checked.version)
    like, chosen = _of_the_season(reference, window, all_rows, contract.monitoring.time)
    length = len(next(iter(window.drawn.values())))
    sample = compared_rows(length, checked.data.compared)

    def table(of: Window, at: Rows) -> pa.Table:
        drawn = [bins.plain(of.drawn[one.name]).take(pa.array(at)) for one in columns]
        return pa.table({one.name: one.compared(values) for one, values in zip(columns, drawn, strict=True)})

    return Tables(like, table(all_rows, chosen), table(window, sample))


def _was_compared(checked: Checked) -> bool:
    return bool(checked.data.visible) and checked.data.compared >= LEAST_ROWS


def _of_the_season(
    reference: Reference, window: Window, all_rows: Window, time: str | None
) -> tuple[Reference, Rows]:
    """The reference of the window's season, and the places of its rows among all rows of the reference."""
    order, times = references.in_order(all_rows, time)
    if len(order) != len(reference.codes):
        raise KitError(
            f"The reference has {len(reference.codes)} rows and its files {len(order)}.",
            "Make it again: `mlops-kit monitor calibrate`.",
        )
    places: Any = np.arange(len(order))[:, None]
    at = seasons.alike(replace(reference, codes=places, times=times), window, time)[0].codes[:, 0]
    return replace(reference, codes=reference.codes[at]), order[at]


def _write(folder: Path, compared: Tables, checked: Checked, content: str, all_rows: WindowFile) -> Path:
    """All files or none."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    (new / "check.json").write_text(content + "\n", encoding="utf-8")
    (new / "limits.json").write_text(
        json.dumps(_limits(compared, checked), indent=2) + "\n", encoding="utf-8"
    )
    tables.write(compared.reference, new / "reference.parquet")
    tables.write(compared.window, new / "window.parquet")
    all_rows.copy(compared.window.column_names, new / "rows.parquet")
    shutil.rmtree(folder, ignore_errors=True)
    return new.replace(folder)


def _limits(compared: Tables, checked: Checked) -> dict[str, Any]:
    kinds = {one.name: one for one in compared.like.bins if one.name in compared.window.column_names}
    distinct = {name: pc.count_distinct(compared.reference[name]).as_py() for name in kinds}
    coarse = {name for name, one in kinds.items() if one.is_ordered and distinct[name] > one.size}
    limits_by_column = distances.limits(compared.like.resampling, checked.data.compared, set(kinds), coarse)
    return {
        "version": checked.version,
        "rows": {"reference": len(compared.reference), "window": len(compared.window)},
        "false_alarms_at_most": LEVEL,  # for all columns together
        "columns": {name: {"kind": kinds[name].kind, **one} for name, one in limits_by_column.items()},
    }
