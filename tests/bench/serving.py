"""`serve`: processor time a request, beside the servers that people pick, with the same model and the same rows.

(a) The peers serve the pipeline as their documentation shows. (b) They call our fast path. Each server is one process with
one thread, asked in turns by this process over kept connections.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from tests.bench.measure import BenchError, Spent, output, spend
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table

PINS = ("scikit-learn", "numpy", "scipy", "polars", "polars-runtime-32", "joblib", "pandera", "threadpoolctl")
SHARED = ["pyyaml", "orjson", "prometheus-client"]
TICKS = os.sysconf("SC_CLK_TCK")
FAST = """\
from pathlib import Path
from serving.seldon.load import load
core = load(Path.cwd(), "flights", "v0", "pipeline.answer:answers")
def answers(rows):
    return core.predict(rows)
"""
SLOW = "from pipeline.answer import answers\n"
BENTOML = """\
import bentoml
{answers}
@bentoml.service(workers=1)
class Flights:
    @bentoml.api
    def predict(self, rows: list[dict]) -> list[dict]:
        return answers(rows)
"""
LITSERVE = """\
import sys
import litserve
{answers}
class Flights(litserve.LitAPI):
    def setup(self, device):
        pass
    def decode_request(self, request):
        return request["rows"]
    def predict(self, rows):
        return answers(rows)
    def encode_response(self, output):
        return {{"predictions": output}}
if __name__ == "__main__":
    server = litserve.LitServer(Flights(api_path="/predict"), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False, log_level="error")
"""
# Its scikit-learn runtime gets what the pipeline makes of a row: features, as a table.
RUNTIME = {
    "name": "flights",
    "implementation": "mlserver_sklearn.SKLearnModel",
    "parameters": {"uri": "model/model.joblib", "content_type": "pd"},
}
SAVE = "import sys, joblib, mlflow.sklearn as m; m.save_model(joblib.load('model/model.joblib'), 'mlflow-model', serialization_format='cloudpickle', pip_requirements=['scikit-learn'])"
FEATURES = """\
import json, sys
from pathlib import Path
from pipeline.answer import drop_target
from pipeline.read import read
from pipeline.schema import load
from pipeline.train import make_features
schema = load()
frame = read(Path("data/sample.csv"), drop_target(schema)).head(100)
rows = frame.select(list(drop_target(schema).columns)).to_dicts()
print(json.dumps({"rows": rows, "features": make_features(frame, schema).to_dicts()}, default=lambda t: t.isoformat()))
"""


@dataclass(frozen=True)
class Server:
    """A command that listens on `port`, where `body(n)` is a request with n rows for `path`."""

    name: str
    command: Sequence[object]
    port: int
    path: str
    kind: str  # rows, pandas, tensors or tensors-of-features
    cwd: Path


@dataclass(frozen=True)
class Load:
    """What a number of requests took: milliseconds of the server's processors for each, and their latencies."""

    cpu_ms: float
    latencies: list[float]
    rows_a_second: float

    @property
    def spent(self) -> Spent:
        return Spent(median(self.latencies), self.cpu_ms / 1000)


def serve(peers: Peers, runs: int) -> Table:
    """Requests of 1 row by 1 and 16 connections, and of 100 rows, by each server in turns."""
    project = project_of(peers)
    given = json.loads(output([project / ".venv/bin/python", "-c", FEATURES], project))
    spent: dict[str, list[Spent]] = {}
    cpu: dict[tuple[str, int, int], list[float]] = {}
    rate: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(_running(one)) for one in _servers(peers, project)]
        spent |= {server.name: [] for server in servers}
        for turn in range(runs + 1):
            for server in servers[turn % len(servers) :] + servers[: turn % len(servers)]:
                for rows, connections, requests in ((1, 1, 200), (1, 16, 320), (100, 1, 20)):
                    done = _load(server, _body(server.kind, given, rows), connections, requests)
                    if turn:
                        cpu.setdefault((server.name, rows, connections), []).append(done.cpu_ms)
                        if (rows, connections) == (1, 1):
                            spent[server.name].append(done.spent)
                        if rows == 100:
                            rate.setdefault(server.name, []).append(rows * 1000 / done.cpu_ms)
    return _table(spent, cpu, rate)


def _table(
    spent: dict[str, list[Spent]], cpu: dict[tuple[str, int, int], list[float]], rate: dict[str, list[float]]
) -> Table:
    ours = next(iter(spent))
    notes, reaches = [], []
    for rows, connections in ((1, 1), (1, 16), (100, 1)):
        each = {name: median(cpu[name, rows, connections]) for name in spent}
        told = ", ".join(f"{name} {value:.2f}" for name, value in each.items())
        notes.append(f"CPU ms a request, {rows} rows, {connections} connections: {told}")
        if rows == 1:
            for group, limit in (("(a)", 0.3), ("(b)", 1.0)):
                best = min(value for name, value in each.items() if group in name)
                what = f"{group} best, {connections} connections"
                reaches.append(Reach(what, each[ours] / best, limit, "x"))
    rates = {name: median(values) for name, values in rate.items()}
    notes.append("100 rows, rows a CPU second: " + ", ".join(f"{n} {v:.0f}" for n, v in rates.items()))
    best = max(value for name, value in rates.items() if "(a)" in name)
    reaches.append(Reach("100 rows, best of (a) to ours", best / rates[ours], 1.0, "x"))
    return Table("serve", spent, reaches, notes)


def project_of(peers: Peers) -> Path:
    """A trained repository with the tier."""
    project = peers.work / "flights"
    if not project.is_dir():
        spend([peers.ours(), "flights", "--with", "serving=seldon", "--train"], peers.work)
    return project


def _servers(peers: Peers, project: Path) -> list[Server]:
    lines = output(["uv", "export", "--frozen", "--no-hashes", "--no-emit-project"], project).splitlines()
    pins = [line.partition(" ;")[0] for line in lines if line.partition("==")[0] in PINS]
    pins = [*dict.fromkeys(pin for pin in pins if pin), "pyarrow<27", *SHARED]
    pins = [
        pin
        for at, pin in enumerate(pins)
        if pin.partition("==")[0] not in {p.partition("==")[0] for p in pins[:at]}
    ]

    def python(name: str, *packages: str) -> Path:
        return peers.installed(name, *packages, *pins).with_name("python")

    engine = python("mlserver", "mlserver==1.7.1", "mlserver-sklearn==1.7.1", "uvloop<0.22", "protobuf<7")
    ports = iter(free_ports(20))
    found = []
    http, grpc, metrics = next(ports), next(ports), next(ports)
    words = [
        "--root",
        project,
        "--model",
        "flights",
        "--version",
        "v0",
        "--predict",
        "pipeline.answer:answers",
    ]
    named = {"--http-port": http, "--grpc-port": grpc, "--metrics-port": metrics}
    arguments = [str(word) for pair in named.items() for word in pair]
    replica: list[object] = [engine, "-m", "serving.seldon.replica", *words, *arguments]
    found.append(Server("ours", replica, http, "/predict", "rows", project))
    bento, lit = python("bentoml", "bentoml"), python("litserve", "litserve")
    for group, answers in (("(a)", SLOW), ("(b)", FAST)):
        letter = group[1]
        (project / f"bento_{letter}.py").write_text(BENTOML.format(answers=answers))
        (project / f"lit_{letter}.py").write_text(LITSERVE.format(answers=answers))
        port = next(ports)
        run = [
            bento,
            "-m",
            "bentoml",
            "serve",
            f"bento_{letter}:Flights",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        found.append(Server(f"BentoML {group}", run, port, "/predict", "rows", project))
        port = next(ports)
        found.append(
            Server(
                f"LitServe {group}", [lit, f"lit_{letter}.py", str(port)], port, "/predict", "rows", project
            )
        )
    found.append(_sklearn_runtime(engine, project, peers.work, [next(ports) for _ in range(3)]))
    found.append(_mlflow(python("mlflow", "mlflow>=3.17", "pyarrow<26"), project, next(ports)))
    return found


def _sklearn_runtime(engine: Path, project: Path, work: Path, ports: list[int]) -> Server:
    folder = work / "runtime"
    folder.mkdir(exist_ok=True)
    names = ("http_port", "grpc_port", "metrics_port")
    settings = dict(zip(names, ports, strict=True)) | {
        "parallel_workers": 0,
        "debug": False,
        "host": "127.0.0.1",
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    runtime = RUNTIME | {"parameters": {"uri": str(project / "model/model.joblib"), "content_type": "pd"}}
    (folder / "model-settings.json").write_text(json.dumps(runtime))
    command = [engine.with_name("mlserver"), "start", "."]
    return Server("MLServer's runtime (a)", command, ports[0], "/v2/models/flights/infer", "tensors", folder)


def _mlflow(python: Path, project: Path, port: int) -> Server:
    if not (project / "mlflow-model").is_dir():
        spend([python, "-c", SAVE], project)
    command: list[object] = [
        python,
        "-m",
        "mlflow",
        "models",
        "serve",
        "-m",
        "mlflow-model",
        "--env-manager",
        "local",
    ]
    words = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    return Server("mlflow models serve (a)", [*command, *words], port, "/invocations", "pandas", project)


def _body(kind: str, given: dict[str, list[dict[str, object]]], n: int) -> bytes:
    if kind == "rows":
        return json.dumps({"rows": given["rows"][:n]}).encode()
    features = given["features"][:n]
    if kind == "pandas":
        return json.dumps({"dataframe_records": features}).encode()
    tensors = []
    for name in features[0]:
        values = [row[name] for row in features]
        if isinstance(next((v for v in values if v is not None), 0.0), str):
            more = {"datatype": "BYTES", "parameters": {"content_type": "str"}}
        else:
            more = {"datatype": "FP64", "parameters": {"content_type": "np"}}
        # it reads no null, so a number of the column stands in its place
        data = [0.0 if value is None else value for value in values]
        tensors.append({"name": name, "shape": [n, 1], "data": data, **more})
    return json.dumps({"parameters": {"content_type": "pd"}, "inputs": tensors}).encode()


@contextlib.contextmanager
def _running(server: Server) -> Iterator[Server]:
    folder = Path(str(server.command[0])).parent  # mlflow starts uvicorn by its name
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": ".", "BENTOML_DO_NOT_TRACK": "True"}
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    log = server.cwd / f"{server.port}.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(word) for word in server.command],
            cwd=server.cwd,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 180
        while process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1):
                break
            time.sleep(0.2)
        else:
            raise BenchError(f"{server.name} does not start:\n{log.read_text()[-1000:]}")
        PROCESSES[server.name] = process.pid
        print(f"  {server.name} is up", file=sys.stderr)
        yield server
    finally:
        for one in _descendants(process.pid):  # BentoML starts its own in sessions of their own
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        process.wait()


PROCESSES: dict[str, int] = {}  # of each server, the first


def _load(server: Server, body: bytes, connections: int, requests: int) -> Load:
    """Asks over kept connections, each in a thread; all answers must be 200."""
    root = PROCESSES[server.name]
    _some(server, body, 20)
    before, begin = cpu_of(root), time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        asked = list(pool.map(lambda _: _some(server, body, requests // connections), range(connections)))
    seconds, cpu = time.perf_counter() - begin, cpu_of(root) - before
    latencies = [one for some in asked for one in some]
    rows = body.count(b'"carrier"') * len(latencies)
    return Load(1000 * cpu / len(latencies), latencies, rows / seconds)


def _some(server: Server, body: bytes, requests: int) -> list[float]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    took = []
    for attempt in range(requests):
        begin = time.perf_counter()
        for _ in range(300):
            connection.request("POST", server.path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            if answer.status == 200 or attempt:
                break
            connection.close()  # still loading
            time.sleep(0.5)
        if answer.status != 200:
            raise BenchError(f"{server.name}: {answer.status} {content[:500]!r}")
        took.append(time.perf_counter() - begin)
    connection.close()
    return took


def cpu_of(root: int) -> float:
    """Seconds of a process and of all that descend from it, ended children included."""
    return sum(_stat(one, 11, 15) for one in _descendants(root)) / TICKS


def _descendants(root: int) -> set[int]:
    """With the process itself."""
    parents = {int(one.name): _stat(int(one.name), 1, 2) for one in Path("/proc").glob("[0-9]*")}
    found = {root}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _stat(process: int, first: int, end: int) -> int:
    """Sum of these fields of /proc/PID/stat after the name; 0 for a process that has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[first:end]))


def free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(n)]
        return [int(server.getsockname()[1]) for server in servers]


TABLES = {"serve": (serve, 3)}
