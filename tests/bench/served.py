"""`serve-row` and `serve-load`: a row in process for each estimator, and what `mlops-kit serve` costs and keeps under load."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measure import Spent, environment, output
from tests.bench.peers import ROOT, Peers
from tests.bench.serving import FEATURES, cpu_of, free_ports, project_of
from tests.bench.tables import Reach, Table

REQUESTS = 100_000
PACE = 0.01  # seconds between two requests: 100 a second
IMPORTS = "import pipeline.answer as p; p.load_once()"  # the model's own libraries, and the model


def row(peers: Peers, runs: int) -> Table:
    """One row in one process, and the bits of 20,000 rows, for three tasks and five estimators."""
    project = project_of(peers)
    words = ["uv", "export", "--frozen", "--no-dev", "--no-hashes", "--no-emit-project", "--prune", "dvc"]
    pins = [line.strip() for line in output(words, project).splitlines() if "==" in line]
    python = peers.installed("row", *pins, "orjson", "lightgbm", "xgboost-cpu").with_name("python")
    command: list[str | Path] = [
        "env",
        "PYTHONPATH=.",
        python,
        ROOT / "tests/tiers/paths.py",
        str(20_000 * runs),
    ]
    models = [json.loads(line) for line in output(command, project).splitlines()]
    beyond = max(one["beyond_ms"] for one in models if not one["walks"])
    reaches = [
        Reach("beyond the estimator's own call, the slowest", beyond, 0.15, "ms"),
        Reach("in all, walked trees", max(one["ms"] for one in models if one["walks"]), 0.15, "ms"),
        Reach("rows with other bits", sum(one["differ"] + one["singly"] for one in models), 0, "rows"),
    ]
    notes = [
        f"{one['model']}: {one['ms']:.3f} ms, {one['beyond_ms']:.3f} beyond the estimator" for one in models
    ]
    return Table("serve-row", {}, reaches, notes)


def load(peers: Peers, runs: int) -> Table:
    """Latency through Envoy and without it, memory over 100,000 requests, and the start."""
    project, kit = project_of(peers), peers.kit()
    given = json.loads(output([project / ".venv/bin/python", "-c", FEATURES], project))
    body = json.dumps({"rows": given["rows"][:1]}).encode()
    with _served(kit, project) as (port, targets):
        direct = _http_port(targets)
        through, straight = [], []
        for _ in range(runs):
            straight.append(median(_paced(direct, body, 500)))
            through.append(median(_paced(port, body, 500)))
        before = _memory(targets)
        _asked(port, body, REQUESTS // 10)  # warm: what a process allocates once
        warm = _memory(targets)
        begin = time.perf_counter()
        _asked(port, body, REQUESTS)
        seconds = time.perf_counter() - begin
        after = _memory(targets)
    start, imports = _cold(project, targets)
    reaches = [
        Reach(
            "p50 that Envoy adds at 100 requests a second",
            1000 * (median(through) - median(straight)),
            2.5,
            "ms",
        ),
        Reach(
            f"growth over {REQUESTS:,} requests",
            max(a / w - 1 for a, w in zip(after, warm, strict=True)),
            0.02,
        ),
        Reach(
            "cold start, times the imports of the model's libraries (CPU)", start.cpu / imports.cpu, 1.5, "x"
        ),
    ]
    notes = [
        f"p50 {1000 * median(straight):.2f} ms without Envoy, {1000 * median(through):.2f} ms through it",
        f"{REQUESTS / seconds:.0f} requests a second by one connection",
        f"MB of each replica before, warm, after: {before}, {warm}, {after}",
        f"start {start.seconds:.1f} s ({start.cpu:.1f} CPU), imports {imports.seconds:.1f} s ({imports.cpu:.1f} CPU)",
    ]
    return Table("serve-load", {}, reaches, notes)


@contextmanager
def _served(kit: Path, project: Path) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The port of the server, and its Prometheus targets."""
    (port,) = free_ports(1)
    log = project.parent / "serve.txt"
    with log.open("w") as out:
        command: list[str | Path] = [kit, "serve", "--workspace", "--port", str(port)]
        process = subprocess.Popen(command, cwd=project, env=environment(), stdout=out, stderr=out)
    try:
        while "curl" not in log.read_text():
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.2)
        yield port, json.loads((project / f".mlops/serving/targets-{port}.json").read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _replicas(targets: list[dict[str, Any]]) -> list[str]:
    return [one["targets"][0] for one in targets if one["labels"]["role"] == "replica"]


def _http_port(targets: list[dict[str, Any]]) -> int:
    """Where the first replica listens, which only its command says."""
    metrics = _replicas(targets)[0].rpartition(":")[2]
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        text = command.read_bytes().decode(errors="replace").replace("\0", " ")
        if f"--metrics-port {metrics}" in text and (found := re.search(r"--http-port (\d+)", text)):
            return int(found[1])
    raise RuntimeError("no replica")


def _memory(targets: list[dict[str, Any]]) -> list[int]:
    """Resident MB of each replica, as its metrics say."""
    found = []
    for target in _replicas(targets):
        host, _, port = target.partition(":")
        connection = HTTPConnection(host, int(port), timeout=60)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        found.append(round(float(text.partition("\nprocess_resident_memory_bytes ")[2].split()[0]) / 1e6))
        connection.close()
    return found


def _paced(port: int, body: bytes, n: int) -> list[float]:
    connection, took = HTTPConnection("127.0.0.1", port, timeout=60), []
    for _ in range(n):
        begin = time.perf_counter()
        _once(connection, body)
        took.append(time.perf_counter() - begin)
        time.sleep(max(PACE - took[-1], 0))
    connection.close()
    return took


def _asked(port: int, body: bytes, n: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(n):
        _once(connection, body)
    connection.close()


def _once(connection: HTTPConnection, body: bytes) -> None:
    connection.request("POST", "/predict", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(answer.read())
    answer.read()


def _cold(project: Path, targets: list[dict[str, Any]]) -> tuple[Spent, Spent]:
    """A replica until it is ready, and the imports of the model's libraries, with the engine's Python."""
    python = next((project / ".mlops/serving/environments").glob("*/bin/python"))
    starts, imports = [], []
    for _ in range(4):
        ports = free_ports(3)
        words = ["--root", ".", "--model", "flights", "--predict", "pipeline.answer:answers"]
        for name, port in zip(("http", "grpc", "metrics"), ports, strict=True):
            words += [f"--{name}-port", str(port)]
        starts.append(_until_ready([python, "-m", "serving.seldon.replica", *words], ports[0], project))
        begin, before = time.perf_counter(), os.times()
        output([python, "-c", IMPORTS], project)
        imports.append(_spent(begin, before))
    starts, imports = starts[1:], imports[1:]  # without the first, which compiles
    return min(starts, key=lambda one: one.cpu), min(imports, key=lambda one: one.cpu)


def _until_ready(command: list[str | Path], port: int, cwd: Path) -> Spent:
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=environment() | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL
    )
    while not _answers(port):
        time.sleep(0.02)
    ready = Spent(time.perf_counter() - begin, cpu_of(process.pid))
    process.terminate()
    process.wait(60)
    return ready


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/v2/models/flights/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _spent(begin: float, before: os.times_result) -> Spent:
    """Seconds since, and those of processors that children took which have ended since."""
    now = os.times()
    cpu = now.children_user + now.children_system - before.children_user - before.children_system
    return Spent(time.perf_counter() - begin, cpu)


TABLES = {"serve-row": (row, 1), "serve-load": (load, 3)}
