"""A repository with years of runs on the branch `mlops/runs`, always the same, as `register` publishes them."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.measure import environment, spend

STAGES = ("validate", "train", "gate", "register")
INSIDE = {  # what a stage tells on its way
    "train": ["stage:prepare", "stage:train", "stage:evaluate"],
    "gate": ["gate:auc", "gate:latency", "gate:size", "gate:fairness"],
}


def write(origin: Path, runs: int) -> None:
    """A bare repository with main and the runs, one file each, ten a day."""
    spend(["git", "init", "--quiet", "--bare", "--initial-branch=main", origin], origin.parent)
    main = [_commit("main"), _file("mlops.yaml", "model: bench\nmetrics: metrics.json\n")]
    files = (_file(f"events/{_day(n)[:7].replace('-', '/')}/{n}-1.jsonl", _events(n)) for n in range(runs))
    text = "".join([*main, _commit("mlops/runs"), *files])
    command = ["git", "fast-import", "--quiet"]
    subprocess.run(command, cwd=origin, env=environment(), input=text.encode(), check=True)


def _commit(branch: str) -> str:
    return f"commit refs/heads/{branch}\ncommitter bench <bench@localhost> 1700000000 +0000\ndata 5\nbench\n"


def _file(path: str, text: str) -> str:
    return f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n"


def _day(run: int) -> str:
    day = run // 10
    return f"{2023 + day // 336}-{day // 28 % 12 + 1:02d}-{day % 28 + 1:02d}"


def _events(run: int) -> str:
    lines = [
        {"run": f"{run}-1", "at": f"{_day(run)}T{run % 10:02d}:00:{second:02d}.000Z", **facts}
        for second, facts in enumerate(_happened(run))
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


def _happened(run: int) -> Iterator[dict[str, Any]]:
    """Every hundredth training fails."""
    yield {"stage": "run", "status": "start", "commit": f"{run:040x}", "event_name": "push", "actor": "bench"}
    for stage in STAGES:
        yield {"stage": stage, "status": "start", "pid": 1000 + run}
        for inside in INSIDE.get(stage, []):
            yield {"stage": inside, "status": "end", "seconds": 0.5}
        if stage == "train" and run % 100 == 0:
            yield {"stage": stage, "status": "failed", "seconds": 2.5, "error": "out of memory"}
            return
        yield {"stage": stage, "status": "end", "seconds": 2.5}
