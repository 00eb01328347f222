"""Predictions of the champion for the challenger's test rows: stored ones, and new ones for the other rows.

The rows that the champion was trained on are left out: it knows their answers. Every reason for which this
cannot be done is a KitError, which the gate turns into "can't tell".
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.base import temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run, words
from mlops_kit.base.progress import Say
from mlops_kit.data import predictions, tables
from mlops_kit.data.metrics import EvaluatedRows
from mlops_kit.data.predictions import KEY
from mlops_kit.project import contract as contracts
from mlops_kit.project import snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Predictions
from mlops_kit.project.snapshot import Snapshot
from mlops_kit.versions.version import Version

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Duel:
    """Both models on the same rows, in the same order."""

    champion: EvaluatedRows
    challenger: EvaluatedRows
    left_out: int  # rows that the champion was trained on
    scored: int  # rows that it predicted now, in its own environment
    unchecked: str = ""  # why it is not known which rows the champion was trained on


def duel(repository: Repository, contract: Contract, version: Version, say: Say) -> Duel:
    """Evaluate champion and challenger on the same rows. Raises KitError with the reason if that is not possible."""
    form = contract.predictions
    if form is None:
        raise KitError("mlops.yaml names no `predictions`, so no row of the two can be compared.")
    challenger_table = predictions.read(repository.root / form.file, form)
    if "actual" not in challenger_table.column_names:
        raise KitError(f"{form.file} has no column {form.actual!r}.")
    with temporary.folder() as folder:
        earlier = snapshot.take(repository, version.tag, folder, contract.commands.dvc)
        _expect_the_same_task(form, earlier.contract.predictions, version)
        fair, unchecked = _not_trained_on(challenger_table, earlier)
        champion_table, scored = _champion_predictions(repository, contract, earlier, fair, say)
    classes = predictions.classes(challenger_table, form)
    champion, challenger = (
        predictions.evaluated_rows(fair["actual"], table, form, classes) for table in (champion_table, fair)
    )
    return Duel(champion, challenger, len(challenger_table) - len(fair), scored, unchecked)


def _expect_the_same_task(form: Predictions, earlier_form: Predictions | None, version: Version) -> None:
    if earlier_form is None:
        raise KitError(f"mlops.yaml of {version.name} names no `predictions`.")
    if (form.task, form.positive) != (earlier_form.task, earlier_form.positive):
        was = f"{earlier_form.task}, positive {earlier_form.positive!r}"
        raise KitError(f"{version.name} predicts something else ({was}): nothing to compare.")


def _not_trained_on(challenger_table: "pa.Table", earlier: Snapshot) -> tuple["pa.Table", str]:
    """The challenger's predictions without the rows that the champion was trained on; and why those are not known."""
    import pyarrow.compute as pc

    rows = earlier.contract.rows
    if rows is None or rows.train is None:
        return challenger_table, f"mlops.yaml of {earlier.revision} names no rows.train"
    trained = tables.read(earlier.file(rows.train), [rows.key], text=(rows.key,))
    trained_keys = predictions.with_key(trained, rows.key, rows.train)[KEY]
    return challenger_table.filter(pc.is_null(predictions.positions(challenger_table[KEY], trained_keys))), ""


def _champion_predictions(
    repository: Repository, contract: Contract, earlier: Snapshot, fair: "pa.Table", say: Say
) -> tuple["pa.Table", int]:
    """The champion's predictions in the order of `fair`, and how many of them it made just now."""
    import pyarrow as pa
    import pyarrow.compute as pc

    assert earlier.contract.predictions
    stored = predictions.read(earlier.file(earlier.contract.predictions.file), earlier.contract.predictions)
    stored = _of_the_same_rows(repository, contract, earlier, stored)
    missing = fair[KEY].filter(pc.is_null(predictions.positions(fair[KEY], stored[KEY])))
    if len(missing):
        say(f"{earlier.revision} predicts {len(missing)} rows that it has no stored prediction for")
        fresh = _score(repository, contract, earlier, missing)
        both = [name for name in fresh.column_names if name in stored.column_names]
        fresh = pa.table({name: fresh[name].cast(stored[name].type) for name in both})
        stored = pa.concat_tables([stored.select(both), fresh])
    place = predictions.positions(fair[KEY], stored[KEY])
    if place.null_count:
        raise KitError(f"{earlier.revision} left {place.null_count} of {len(missing)} rows without answer.")
    return stored.take(place), len(missing)


def _of_the_same_rows(
    repository: Repository, contract: Contract, earlier: Snapshot, stored: "pa.Table"
) -> "pa.Table":
    """Stored predictions without those whose key stands for another row today, or for a corrected one.

    A key may be a position in a file that was replaced since.
    """
    rows, earlier_rows = contract.rows, earlier.contract.rows
    if rows is None or earlier_rows is None or earlier.is_todays(earlier_rows.test):
        return stored
    now = predictions.with_key(_table(repository.root / rows.test, rows.key), rows.key, rows.test)
    then = predictions.with_key(
        _table(earlier.file(earlier_rows.test), earlier_rows.key), earlier_rows.key, earlier_rows.test
    )
    other = now[KEY].filter(_differs(now, then))
    return stored.filter(predictions.positions(stored[KEY], other).is_null())


def _table(path: Path, key: str) -> "pa.Table":
    return tables.read(path, text=(key,))


def _differs(now: "pa.Table", then: "pa.Table") -> "pa.Array":
    """True for each row of `now` that differs, in a column that both have, from the row of `then` with its key."""
    import pyarrow as pa
    import pyarrow.compute as pc

    place = predictions.positions(now[KEY], then[KEY])
    then = then.take(place)  # null where there is none
    differs = pa.array([False] * len(now))
    for name in set(now.column_names) & set(then.column_names) - {KEY}:
        now_values, then_values = (table[name].cast(pa.string()).fill_null("\0") for table in (now, then))
        differs = pc.or_(differs, pc.not_equal(now_values, then_values))
    return pc.and_(differs, pc.is_valid(place))


def _score(repository: Repository, contract: Contract, earlier: Snapshot, missing: "pa.Array") -> "pa.Table":
    """The champion's own predictions of these rows, made in a worktree of its version."""
    import pyarrow.compute as pc

    if contract.rows is None:
        raise KitError(
            f"{len(missing)} rows have no prediction of {earlier.revision}, and mlops.yaml names no `rows`."
        )
    if not earlier.contract.commands.predict:
        raise KitError(f"mlops.yaml of {earlier.revision} names no commands.predict.")
    every = _table(repository.root / contract.rows.test, contract.rows.key)
    keys = predictions.with_key(every, contract.rows.key, contract.rows.test)[KEY]
    ask = every.filter(pc.is_valid(predictions.positions(keys, missing)))
    file = earlier.folder / f"rows{Path(contract.rows.test).suffix}"
    tables.write(ask, file)
    with earlier.alive() as tree:
        own = contracts.load(tree.root)
        assert own.commands.predict
        assert own.predictions
        out = earlier.folder / f"out{Path(own.predictions.file).suffix}"
        run([*words(own.commands.predict), str(file), "--out", str(out)], tree.root)
        return predictions.read(out, own.predictions)
