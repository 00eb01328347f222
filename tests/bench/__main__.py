"""`python -m tests.bench [NAME...]`: measures, prints medians, ratios and what is within reach."""

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import (
    concept_drift,
    drift_speed,
    false_alarms,
    flights,
    growth,
    kills,
    kit,
    large_log,
    latency_gate,
    merge,
    power,
    questions,
    registry,
    serve_lost,
    served,
    serving,
    tables,
)
from tests.bench.measure import BenchError, ratio, seconds
from tests.bench.peers import Peers
from tests.bench.tables import Table

TABLES = (
    tables.TABLES
    | kit.TABLES
    | kills.TABLES
    | growth.TABLES
    | questions.TABLES
    | merge.TABLES
    | drift_speed.TABLES
    | large_log.TABLES
    | latency_gate.TABLES
    | false_alarms.TABLES
    | power.TABLES
    | concept_drift.TABLES
    | flights.TABLES
    | registry.TABLES
    | serving.TABLES
    | served.TABLES
    | serve_lost.TABLES
)


def main() -> int:
    """0: all within reach. 10: measured, but not within reach. 1: something could not be run."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = (arguments.work or Path(folder)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        peers = Peers(work, arguments.kedro_starter, arguments.ccds_template, arguments.copier_template)
        made, failed = [], False
        for name in arguments.names or TABLES:
            measure, runs = TABLES[name]
            print(f"{name} ...", file=sys.stderr)
            try:
                made.append(measure(peers, arguments.runs or runs))
            except BenchError as error:
                print(f"{name} could not be measured: {error}", file=sys.stderr)
                failed = True
    if arguments.json:
        print(json.dumps([as_json(table) for table in made], indent=2))
    else:
        print("\n\n".join(in_words(table) for table in made))
    if failed or peers.absent:
        return 1
    return 0 if all(reach.reached for table in made for reach in table.reaches) else 10


def in_words(table: Table) -> str:
    ours = next(iter(table.spent.values()), [])
    times = f": median of {len(ours)} runs in turns, from, to, cpu; ours / theirs" if ours else ""
    lines = [f"{table.name}{times}"]
    for name, spent in table.spent.items():
        took = [one.seconds for one in spent]
        times = "" if spent is ours else f"{ratio(ours, spent):5.2f} x"
        cpu = median(one.cpu for one in spent)
        figures = f"{seconds(spent):7.2f} s {min(took):7.2f} {max(took):7.2f} {cpu:7.2f}"
        lines.append(f"  {name:26}{figures}  {times}".rstrip())
    lines += [f"  {note}" for note in table.notes]
    for reach in table.reaches:
        says = "within reach" if reach.reached else "NOT WITHIN REACH"
        values = f"{reach.value:.2f} {reach.unit}, at most {reach.limit:g} {reach.unit}".rstrip()
        lines.append(f"  {says}: {reach.what} {values}")
    return "\n".join(lines)


def as_json(table: Table) -> dict[str, Any]:
    found = dataclasses.asdict(table)
    found["median"] = {name: seconds(spent) for name, spent in table.spent.items()}
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TABLES))
    parser.add_argument("--runs", type=int, help="of each table (default: its own number)")
    parser.add_argument("--json", action="store_true", help="every run, as JSON")
    parser.add_argument("--work", type=Path, help="folder to keep (default: a temporary one)")
    local = "local copy, instead of a clone of the public one"
    parser.add_argument("--kedro-starter", metavar="DIR", type=Path, help=f"spaceflights: {local}")
    parser.add_argument("--ccds-template", metavar="DIR", type=Path, help=local)
    parser.add_argument("--copier-template", metavar="DIR", type=Path, help=local)
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - TABLES.keys()):
        parser.error(f"there is no {', '.join(unknown)}; choose from {', '.join(TABLES)}")
    return arguments


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench: {error}")
