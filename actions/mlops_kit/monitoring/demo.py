"""`monitor demo`: replay the flights of April to December, month by month.

`mlops-new` makes a repository, its own `predict` writes the log, and check, alert and review are the commands of the
schedule, with MLOPS_NOW set to the end of each month.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from mlops_kit.base import clock, credentials
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run, words
from mlops_kit.base.progress import Say
from mlops_kit.project import contract
from mlops_kit.project.contract import Contract

LABEL = "demo"
FRAGMENT = "mlops.d/demo.yaml"
SETTINGS = """\
# Written by `mlops-kit monitor demo`: each month is one window, and labels come with it.
monitoring: {{log: served/*.jsonl, labels: came-true/*.parquet, window_days: {days}, slices: [carrier]}}
"""


@dataclass(frozen=True)
class Month:
    month: str
    rows: int
    data: str
    columns: list[str]
    concept: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


def batches() -> dict[int, Path]:
    """Return the monthly batches that the generator ships. Raises KitError if only the kit is installed."""
    spec = importlib.util.find_spec("mlops_new")  # its place; nothing of it is imported
    places = spec.submodule_search_locations if spec else None
    folder = Path(next(iter(places))) / "batches" if places else Path()
    files = {int(file.stem[-2:]): file for file in sorted(folder.glob("2013-*.parquet"))} if places else {}
    if not files:
        raise KitError("The flights are not here.", "They come with `uv tool install 'mlops-new[kit]'`.")
    return files


def repository_in(folder: Path, say: Say) -> Path:
    """Make a repository with the trained version v0.1.0, as of 1 April 2013. Raises KitError if that fails."""
    project = folder / "flights"
    if not (project / contract.FILE).is_file():
        say("make a repository and train it, about 20 seconds")
        command = Path(sys.executable).with_name("mlops-new")
        if not command.exists():
            raise KitError(
                f"{command} is not there.", "`uv tool install 'mlops-new[kit]'` brings both commands."
            )
        folder.mkdir(parents=True, exist_ok=True)
        run([str(command), str(project), "--train"], folder)
    (project / FRAGMENT).parent.mkdir(exist_ok=True)
    (project / FRAGMENT).write_text(SETTINGS.format(days=31), encoding="utf-8")
    ignored = project / ".git/info/exclude"
    ignored.write_text(f"/{FRAGMENT}\n/served/\n/came-true/\n", encoding="utf-8")
    begin = datetime(2013, 4, 1, tzinfo=UTC)
    for command_words in (["gate"], ["register"]):
        say(" ".join(command_words))
        _kit(project, begin, *command_words)
    return project


def replay(project: Path, months: list[int], say: Say) -> Iterator[Month]:
    """Check each month as of its end. Raises KitError if a command of the kit fails."""
    settings, files = contract.load(project), batches()
    before: set[str] = set()
    for month in months:
        say(f"2013-{month:02}: predict, check, alert, review")
        newest = serve(project, settings, files[month], project)
        days = (newest - datetime(2013, month, 1, tzinfo=UTC)) / timedelta(days=1)
        (project / FRAGMENT).write_text(SETTINGS.format(days=days), encoding="utf-8")
        end = datetime(2013 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        checked = json.loads(_kit(project, end, "monitor", "check", "--json", allowed=(0, 10)))
        if credentials.token():
            _kit(project, end, "alert", "--label", LABEL)
        _kit(project, end, "review", *(["--publish", "--label", LABEL] if credentials.token() else []))
        kinds = {one["kind"] for one in checked["findings"]}
        closed = (before - kinds) & set(checked["judged"])
        yield _month(month, checked, sorted(kinds - before), sorted(closed))
        before = (before | kinds) - closed


def _month(month: int, checked: dict[str, Any], opened: list[str], closed: list[str]) -> Month:
    figure = checked["concept"]["figure"] or {}
    return Month(
        f"2013-{month:02}",
        checked["data"]["n"],
        checked["data"]["state"],
        [one["column"] for one in checked["data"]["drifts"]],
        checked["concept"]["state"],
        checked["concept"]["metric"],
        figure.get("value"),
        figure.get("low"),
        figure.get("high"),
        opened,
        closed,
    )


def serve(project: Path, settings: Contract, batch: Path, into: Path) -> datetime:
    """Writes the predictions log of a batch into `into`/served, with the times of its flights, and its labels into
    `into`/came-true. Returns the newest time.
    """
    log, labels = into / f"served/{batch.stem}.jsonl", into / f"came-true/{batch.stem}.parquet"
    for file in (log, labels):
        file.parent.mkdir(exist_ok=True)
        file.unlink(missing_ok=True)
    if settings.commands.predict is None or settings.monitoring.time is None or settings.rows is None:
        raise KitError(
            f"{project / contract.FILE} names no `predict`, `rows` or time: this is not the demonstration.",
            "Give a new folder as --keep; `mlops-kit monitor demo` makes a repository there.",
        )
    out = project / ".mlops/demo.parquet"
    run([*words(settings.commands.predict), str(batch), "--out", str(out), "--log", str(log)], project)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    times = [
        datetime.fromisoformat(line["inputs"][settings.monitoring.time]).replace(tzinfo=UTC) for line in lines
    ]
    dated = [line | {"time": time.isoformat()} for line, time in zip(lines, times, strict=True)]
    log.write_text("".join(f"{json.dumps(line)}\n" for line in dated), encoding="utf-8")
    rows = parquet.read_table(batch, columns=[settings.rows.key, settings.monitoring.label])
    parquet.write_table(pa.table({name: rows[name] for name in rows.column_names}), labels)
    return max(times)


def _kit(project: Path, at: datetime, *arguments: str, allowed: tuple[int, ...] = (0,)) -> str:
    moment = (at + timedelta(hours=1)).isoformat()
    settings = {clock.VARIABLE: moment, "GIT_COMMITTER_DATE": moment, "GIT_AUTHOR_DATE": moment}
    done = subprocess.run(
        [sys.executable, "-m", "mlops_kit", *arguments],
        cwd=project,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in allowed:
        raise KitError(
            f"`mlops-kit {' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr.strip()[-2000:]}",
            f"With --keep FOLDER it can be called again in {project.name}.",
        )
    return done.stdout


# ---- in words ----


def in_words(months: list[Month], project: Path) -> str:
    lines = [
        f"{'month':8} {'rows':>6}  {'inputs':11} {'moved':>5}  {'concept':11} {'metric':28} alarms",
        *(_line(one) for one in months),
        "",
        f"The repository: {project}",
        f"The newest review: {project / '.mlops/review/review.html'}",
    ]
    return "\n".join(lines)


def _line(month: Month) -> str:
    metric = ""
    if month.value is not None and month.low is not None and month.high is not None:
        metric = f"{month.metric} {month.value:.3f} ({month.low:.3f} to {month.high:.3f})"
    alarms = [f"+{kind}" for kind in month.opened] + [f"-{kind}" for kind in month.closed]
    moved = len(month.columns)
    return f"{month.month:8} {month.rows:>6,}  {month.data:11} {moved:>5}  {month.concept:11} {metric:28} {' '.join(alarms)}".rstrip()
