"""What a check compared reaches the hooks of tiers: the same rows, limits that chance keeps; and the verdict stands."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from mlops_kit.monitoring import monitor
from mlops_kit.monitoring.reference import make
from mlops_kit.statistics import distances
from pyarrow import parquet

from tests.conftest import Done
from tests.kit.monitoring.distributions import window
from tests.kit.small_repository import Small, small

MLOPS = """\
model: shop
metrics: metrics.json
rows: {train: train.parquet, test: test.parquet, key: id}
monitoring: {label: paid, time: at}
"""
HOOK = "hooks:\n  after_monitor:\n    look: %s\n"
LOOK = "sh -c 'env | grep ^MLOPS_ > seen; echo made > $MLOPS_VIEWS/made'"
STAYS = 2 + 3 * 2**0.5  # of 200 windows, were one in a hundred above


def table(seed: int, n: int, start: str = "2025-01-01") -> dict[str, Any]:
    """Rows of a whole year, an hour apart where there are 8,760."""
    draw = np.random.default_rng(seed)
    hours = np.sort(draw.integers(0, 8760, n)).astype("timedelta64[h]")
    return {
        "id": [f"{seed}-{at}" for at in range(n)],
        "at": np.datetime64(start, "s") + hours,
        "price": np.where(draw.random(n) < 0.05, np.nan, draw.lognormal(size=n)),
        "new": draw.random(n) < 0.2,
        "kind": draw.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
        "note": [f"{number:x}" * (1 + number % 4) for number in draw.integers(0, 1 << 40, n)],
        "paid": draw.random(n) < 0.5,
    }


def kept(folder: Path, name: str, rows: dict[str, Any]) -> Path:
    parquet.write_table(
        pa.table({key: pa.array(one, from_pandas=True) for key, one in rows.items()}), folder / name
    )
    return folder / name


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small(tmp_path_factory.mktemp("calibrated") / "shop", **{"mlops.yaml": MLOPS})
    kept(made.root, "train.parquet", table(1, 8000))
    kept(made.root, "test.parquet", table(2, 2000))
    done = made.kit("monitor", "calibrate")
    assert done.code == 0, done.said
    return made.root


@pytest.fixture
def shop(calibrated: Path, tmp_path: Path) -> Small:
    return Small(shutil.copytree(calibrated, tmp_path / "shop"))


def hook(made: Small, command: str = LOOK) -> None:
    (made.root / "mlops.d").mkdir(exist_ok=True)
    (made.root / "mlops.d/look.yaml").write_text(HOOK % command)


def check(made: Small, rows: dict[str, Any], *more: object) -> Done:
    file = kept(made.root.parent, "window.parquet", rows)
    return made.kit("monitor", "check", "--json", "--window", file, *more)


def last(made: Small, name: str) -> Path:
    return made.root / ".mlops/monitoring/last" / name


def test_a_tier_gets_the_rows_that_were_compared(shop: Small) -> None:
    hook(shop)
    rows = table(3, 3000)
    rows["price"] *= 3
    done = check(shop, rows)
    assert done.code == 10, done.said
    assert last(shop, "check.json").read_text("utf-8") == done.stdout
    seen = dict(line.split("=", 1) for line in (shop.root / "seen").read_text().splitlines())
    assert seen["MLOPS_HOOK"] == "after_monitor"
    for name, file in {"CHECK": "check.json", "LIMITS": "limits.json", "WINDOW": "window.parquet"}.items():
        assert seen[f"MLOPS_{name}"] == str(last(shop, file))
    assert (shop.root / ".mlops/monitoring/views/made").read_text() == "made\n"
    before, now = (parquet.read_table(last(shop, f"{one}.parquet")) for one in ("reference", "window"))
    assert before.schema == now.schema
    assert set(before.column_names) == {"at", "price", "new", "kind", "note"}
    found = json.loads(done.stdout)["data"]
    assert (len(before), len(now)) == (10_000, found["compared"])
    assert found["compared"] == 2000
    price = np.asarray(now["price"].drop_null())
    assert set(price) <= set(rows["price"])
    assert set(np.asarray(now["note"])) <= {len(one) for one in rows["note"]}
    assert set(now["new"].to_pylist()) == {"true", "false"}
    (moved,) = found["drifts"]
    limits = json.loads(last(shop, "limits.json").read_text())["columns"]
    steps = {
        one: step(*(np.asarray(side[one].drop_null()) for side in (before, now)))
        for one in ("price", "at", "note")
    }
    assert moved["column"] == "price"
    assert {one for one, found in steps.items() if found > limits[one]["step"]} == {"price"}


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_a_tier_gets_all_rows_of_the_window_too(suffix: str, shop: Small) -> None:
    """Without what is masked somewhere in the log."""
    hook(shop)
    rows = table(3, 12_000)
    if suffix == "parquet":
        done = check(shop, rows)
    else:
        file = shop.root.parent / "log.jsonl"
        inputs = [
            {"at": str(at), "price": None if np.isnan(price) else price, "kind": kind}
            for at, price, kind in zip(rows["at"], rows["price"], rows["kind"], strict=True)
        ]
        lines = [json.dumps({"key": str(at), "inputs": one}) for at, one in enumerate(inputs)]
        lines[7] = json.dumps({"key": "7", "inputs": {"kind": "a"}, "masked": ["at"]})
        file.write_text("\n".join(lines))
        done = shop.kit("monitor", "check", "--json", "--window", file)
    assert done.code in (0, 10), done.said
    seen = dict(line.split("=", 1) for line in (shop.root / "seen").read_text().splitlines())
    assert seen["MLOPS_ROWS"] == str(last(shop, "rows.parquet"))
    window, whole = (parquet.read_table(last(shop, f"{one}.parquet")) for one in ("window", "rows"))
    assert (len(window), len(whole)) == (2000, 12_000)
    assert whole.column_names == window.column_names and ("at" in whole.column_names) == (suffix == "parquet")
    assert set(whole["kind"].to_pylist()) == {"a", "b", "c"}
    assert pc.sum(whole["price"]).as_py() == pytest.approx(np.nansum(rows["price"]), rel=1e-3)
    assert not (shop.root / monitor.ALL_ROWS).exists()
    file = kept(shop.root.parent, "torn.csv", {"id": ["a"]})
    file.write_bytes(b"id,price\n" + b"a,1\n" * 100 + b"\xff,1,1,1\n")
    assert shop.kit("monitor", "check", "--window", file).code == 1
    assert not (shop.root / monitor.ALL_ROWS).exists()


def test_of_a_season_it_gets_the_season(shop: Small) -> None:
    hook(shop)
    rows = table(3, 3000, "2026-01-01")
    july = rows["at"].astype("datetime64[M]") == np.datetime64("2026-07")
    found = check(shop, {name: np.asarray(one)[july] for name, one in rows.items()})
    assert "month 7" in found.stdout
    before = parquet.read_table(last(shop, "reference.parquet"))
    whole = np.concatenate([table(seed, n)["at"] for seed, n in ((1, 8000), (2, 2000))])
    of_july = int((whole.astype("datetime64[M]") == np.datetime64("2025-07")).sum())
    assert of_july - 200 < len(before) <= of_july


def test_what_is_not_compared_is_not_handed_over(shop: Small) -> None:
    hook(shop)
    rows = table(3, 1000)
    del rows["kind"]
    rows["new"] = ["soon"] * 1000
    assert check(shop, rows).code == 10
    assert set(parquet.read_schema(last(shop, "window.parquet")).names) == {"at", "price", "note"}
    assert set(json.loads(last(shop, "limits.json").read_text())["columns"]) == {"at", "price", "note"}


def test_a_hook_that_fails_leaves_the_verdict_as_it_was(shop: Small) -> None:
    rows = table(3, 1000)
    without = check(shop, rows)
    assert not last(shop, "").exists()
    assert not (shop.root / ".mlops/monitoring/views").exists()
    hook(shop, "sh -c 'echo the library is broken >&2; exit 3'")
    done = check(shop, rows)
    assert (done.code, without.code) == (0, 0), done.said
    assert "warning: the hook after_monitor of look failed." in done.stderr
    assert "the library is broken" in done.stderr
    first, second = (json.loads(one.stdout) for one in (without, done))
    assert first | {"at": ""} == second | {"at": ""}


def test_files_that_cannot_be_written_are_a_warning(shop: Small) -> None:
    hook(shop)
    last(shop, "").write_text("in the way")
    done = check(shop, table(3, 1000))
    assert done.code == 0, done.said
    assert "warning: tiers were not told of this check." in done.stderr
    assert not (shop.root / "seen").exists()


def test_too_few_rows_are_nothing_to_show(shop: Small) -> None:
    hook(shop)
    done = check(shop, table(3, 5))
    assert done.code == 0, done.said
    assert "Nothing was compared, so tiers have nothing to show." in done.stderr
    assert not (shop.root / "seen").exists()


def test_another_job_takes_the_views_over(shop: Small) -> None:
    hook(shop)
    assert check(shop, table(3, 1000), "--hand-over", "mlops-run").code == 0
    assert (shop.root / "mlops-run/views/made").is_file()


def test_windows_like_the_reference_are_below_the_limits() -> None:
    """Measured on the values themselves, as libraries do, not on their cells."""
    draw = np.random.default_rng(5)
    above, n = 0, 400

    def rows(many: int) -> dict[str, Any]:
        level = draw.choice(list("abcdef"), many, p=[0.4, 0.3, 0.15, 0.1, 0.04, 0.01])
        count = draw.poisson(3, many).astype(float)
        return {f"x{at}": draw.normal(size=many) for at in range(5)} | {"count": count, "level": level}

    for _ in range(5):
        before = rows(4000)
        reference = make(window(before))
        names = set(before)
        coarse = {name for name in names if name.startswith("x")}
        limits = distances.limits(reference.resampling, n, names, coarse)
        above += sum(_above(before, rows(n), limits) for _ in range(40))
    assert above <= STAYS, above


def _above(before: dict[str, Any], now: dict[str, Any], limits: dict[str, dict[str, float]]) -> bool:
    return any(
        step(before[name], now[name]) > limit["step"]
        if "step" in limit
        else jensen_shannon(before[name], now[name]) > limit["jensen_shannon"]
        for name, limit in limits.items()
    )


def step(before: Any, now: Any) -> float:
    """Kolmogorov and Smirnov's."""
    every = np.concatenate([before, now])
    below = [np.searchsorted(np.sort(side), every, side="right") / len(side) for side in (before, now)]
    return float(np.abs(below[0] - below[1]).max())


def jensen_shannon(before: Any, now: Any) -> float:
    levels = sorted({*before, *now})
    f, g = (np.array([(side == level).mean() for level in levels]) for side in (before, now))
    return float(
        sum((one * np.log(np.maximum(one, 1e-300) * 2 / (f + g))).sum() / 2 for one in (f, g)) ** 0.5
    )
