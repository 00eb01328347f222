"""What whylogs says of rows whose drift is known, and of profiles that are merged."""

import json
import sys
from pathlib import Path
from typing import Any

import compare
import merge
import pandas as pd
import profiles
import pytest
import view
from conftest import LIMITS, table


def run(monkeypatch: pytest.MonkeyPatch, command: Any, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", [command.__name__, *(str(word) for word in words)])
    command.main()


def scored(given: Path, window: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Columns that moved; the window is twice what was compared."""
    window.to_parquet(given / "window.parquet")
    pd.concat([window, window]).to_parquet(given / "rows.parquet")
    run(monkeypatch, view, "--keep", "kept")
    columns = json.loads((given / "views/whylogs/scores.json").read_text("utf-8"))["columns"]
    assert set(columns) == set(LIMITS)
    return {name for name, one in columns.items() if one["moved"]}


def test_rows_like_the_reference_have_not_moved(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scored(given, table(2, 1000), monkeypatch) == set()


def test_what_moved_is_named(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    window = table(2, 1000)
    window["age"] += 12
    window["plan"] = window["plan"].replace("b", "a")
    assert scored(given, window, monkeypatch) == {"age", "plan"}
    page = (given / "views/whylogs/scores.md").read_text("utf-8")
    assert page.startswith("# Inputs: drift\n")
    assert "| age | median 40 -> 52, +1.00 sd | " in page


def test_the_same_rows_are_kept_once_and_merged_ones_add_up(
    given: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (2, 2, 3):
        scored(given, table(seed, 1000), monkeypatch)
    kept = sorted((given / "kept/windows").iterdir())
    assert len(kept) == 2
    assert all(file.name.startswith("june-2026-") for file in kept)
    assert len(list((given / "kept/references").iterdir())) == 1
    run(monkeypatch, merge, *kept, "--out", "both.bin")
    both = profiles.read(Path("both.bin"))
    assert profiles.rows(both) == 4000
    whole = pd.concat([table(2, 1000), table(3, 1000)])
    age = both.get_column("age")
    assert age.get_metric("counts").null.value == 2 * whole["age"].isna().sum()
    assert age.get_metric("distribution").mean.value == pytest.approx(whole["age"].mean())
    capsys.readouterr()
    run(monkeypatch, compare, kept[0], "both.bin")
    nearest = capsys.readouterr().out.splitlines()[0]
    assert float(nearest.split()[0]) < 0.05


def test_what_is_no_profile_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"not one")
    with pytest.raises(SystemExit, match=r"x\.bin is no profile"):
        profiles.read(tmp_path / "x.bin")
