"""Nobody reads a value of a masked column: not on the terminal, not in an issue, a chat, an event or a review."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.base import clock
from pyarrow import parquet

from tests.act.api import Api
from tests.kit.alerts.chat import Chat
from tests.kit.monitoring.log_repository import MLOPS, log, repository, table
from tests.kit.small_repository import Small

NAME = "Ada Lovelace"
WATCHED = MLOPS.replace("monitoring: {", "monitoring: {log: log.jsonl, labels: came.parquet, ")
Write = Callable[[Small, dict[str, Any]], tuple[str, ...]]


def as_table(made: Small, rows: dict[str, Any]) -> tuple[str, ...]:
    parquet.write_table(pa.table(rows), made.root / "rows.parquet")
    return "--window", "rows.parquet"


def as_log(made: Small, rows: dict[str, Any]) -> tuple[str, ...]:
    """Lines that are older than the mask."""
    log(made.root / "log.jsonl", rows)
    return ()


@pytest.mark.parametrize("write", [as_table, as_log])
@pytest.mark.parametrize("masks", [True, False])
def test_a_value_of_a_masked_column_is_nowhere(
    masks: bool, write: Write, tmp_path: Path, on_github: Api, chat: Chat
) -> None:
    made = repository(tmp_path / "flights")
    made.write("mlops.yaml", WATCHED + "alerts: {webhook: json}\n")
    if masks:
        made.write("params.yaml", "predictions_log: {masked: [side]}\n")
    rows = table(7, 400)
    parquet.write_table(pa.table({name: rows[name] for name in ("id", "late")}), made.root / "came.parquet")
    words = write(made, rows | {"side": np.array([NAME] * 200 + ["a"] * 200), "amount": rows["amount"] * 9})
    checked = made.kit("monitor", "check", *words)
    told = made.kit("alert")
    week = (clock.now() + timedelta(days=7)).isoformat()
    review = made.kit("review", MLOPS_NOW=week)
    assert (checked.code, told.code, review.code) == (10, 0, 0), checked.said + told.said + review.said
    kept = [
        file
        for file in (made.root / ".mlops").rglob("*")
        if file.suffix in (".json", ".jsonl", ".md", ".html")
    ]
    said = {str(file): file.read_text("utf-8") for file in kept}
    said |= {"terminal": checked.said + told.said + review.said}
    said |= {"issues": str(on_github.issues), "chat": str(chat.heard)}
    showing = {place for place, text in said.items() if NAME in text}
    assert on_github.issues and chat.heard
    assert not showing if masks else {"terminal", "issues", "chat"} <= showing


def test_an_error_quotes_no_row(tmp_path: Path) -> None:
    made = repository(tmp_path / "flights")
    made.write("rows.csv", f"x,amount,side\n1,2,a\n1,2,{NAME},3\n")
    done = made.kit("monitor", "check", "--window", "rows.csv")
    assert done.code == 1
    assert "rows.csv cannot be read: CSV parse error: Expected 3 columns, got 4" in done.stderr
    assert NAME not in done.said
