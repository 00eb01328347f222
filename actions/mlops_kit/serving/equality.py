"""Does a served version answer what its evaluation wrote? One replica is asked for the evaluated rows."""

import asyncio
import math
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.data import tables
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.serving.alone import Row, body_of, replica
from mlops_kit.serving.preparation import Preparation, Prepared

ROWS = 1000  # at most, of the test rows
IN_A_REQUEST = 100
CLOSE = 1e-9  # relative: the last bits of a linear model depend on how many rows it gets at once


def difference(repository: Repository, contract: Contract, tree: Repository, say: Say) -> str:
    """How the answers of a replica differ from the predictions in `tree`; empty if they agree.

    `tree` holds a version with its artifacts, test rows and evaluated predictions. Raises KitError if it cannot be
    served.
    """
    form, rows = contract.predictions, contract.rows
    if form is None or rows is None:
        raise KitError(
            "Served answers cannot be compared: mlops.yaml names no `rows` or no `predictions`.",
            "Name both: the rows that `predict` takes, and what the metrics were made of.",
        )
    asked = tables.read(tree.root / rows.test).slice(0, ROWS).to_pylist()
    evaluated = {str(row[form.key]): row for row in tables.read(tree.root / form.file).to_pylist()}
    say("serve it, and ask for the test rows")
    prepared = Preparation(repository, contract, say).tree(tree)
    answers = asyncio.run(_answers(prepared, contract, repository.root, asked, say))
    wrong = [one["key"] for one in answers if not _agrees(one, evaluated.get(str(one["key"]), {}))]
    if not wrong:
        return ""
    return f"{len(wrong)} of {len(answers)} answers over HTTP are not the evaluated predictions, first {wrong[0]!r}"


def _agrees(answer: Row, row: Row) -> bool:
    return all(name == "key" or _equal(value, row.get(name)) for name, value in answer.items())


def _equal(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=CLOSE)
    return one == other


async def _answers(
    prepared: Prepared, contract: Contract, root: Path, rows: list[Row], say: Say
) -> list[Row]:
    async with replica(prepared, contract, root, say) as alone:
        batches = [body_of(rows[at : at + IN_A_REQUEST]) for at in range(0, len(rows), IN_A_REQUEST)]
        found = [await asyncio.to_thread(alone.ask, batch) for batch in batches]
        return [answer for some in found for answer in some]
