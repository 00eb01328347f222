"""The tier serving=seldon, served for real: Envoy, MLServer, the model, the log, a promotion, and what is refused."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.conftest import ROOT, Done, Once, must, run
from tests.scaffold.adopt import adoptions
from tests.tiers.machine import free_port, started, until
from tests.tiers.project import DVC, Project, check, commands, copied

KIT = Path(sys.executable).with_name("mlops-kit")


@pytest.fixture
def project(trained: Path, mlops_new: Path, once: Once, tmp_path: Path) -> Project:
    """A published repository with v0.1.0 in production, and the environment of the tier."""

    def made(into: Path) -> None:
        root = into / "flights"
        shutil.copytree(trained, root, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
        (root / ".venv").symlink_to(trained / ".venv")
        must([mlops_new, "add", "serving=seldon"], root)
        page = root / "serving/seldon/README.md"
        for command in [one for one in commands(page) if one.startswith("uv ")]:
            must(command.split(), root)
        must(["git", "add", "--all"], root)
        must(["git", "commit", "--quiet", "--message=Add serving"], root)
        project = Project(root, "seldon", "serving")
        project.publish()
        must([*DVC, "repro", "--quiet"], root)
        must([*DVC, "push", "--quiet"], root)
        must(["git", "commit", "--quiet", "--all", "--message=Train"], root)
        must(["git", "push", "--quiet"], root)
        gates = json.loads(must([KIT, "gate", "--json"], root))["results"]
        assert {"name": "served-latency", "status": "pass"}.items() <= gates[-1].items(), gates
        must([KIT, "register"], root)
        must([KIT, "promote", "v0.1.0", "--why", "first"], root)

    folder = once("with-seldon", made)
    project = copied(folder / "flights", "serving", "seldon", tmp_path)
    shutil.copytree(folder / "origin.git", project.origin)
    shutil.copytree(folder / "storage", tmp_path / "storage")
    must(["git", "remote", "set-url", "origin", project.origin], project.root)
    must([*DVC, "remote", "modify", "--local", "storage", "url", tmp_path / "storage"], project.root)
    return project


@contextmanager
def served(project: Project, port: int, *options: str) -> Iterator[str]:
    """`mlops-kit serve` in the background; its address."""
    said = project.root.parent / "serve.txt"
    command = [str(KIT), "serve", "--port", str(port), "--replicas", "1", *options]
    with said.open("w") as out:
        process = subprocess.Popen(command, cwd=project.root, stdout=out, stderr=subprocess.STDOUT, text=True)
    address = f"http://127.0.0.1:{port}"
    try:
        until("the server", lambda: "curl" in said.read_text() or process.poll() or None, said)
        assert process.poll() is None, said.read_text()
        yield address
    finally:
        process.terminate()
        assert process.wait(60) == 0, said.read_text()


def refused(project: Project, *options: str) -> Done:
    """`mlops-kit serve` that must end by itself."""
    return run([KIT, "serve", "--port", str(free_port()), *options], project.root)


def ask(address: str, path: str, body: object = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = Request(address + path, data, {"content-type": "application/json"})
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


HOSTILE = """
import sys
import grpc
from mlserver.grpc import dataplane_pb2 as pb, dataplane_pb2_grpc as service, model_repository_pb2 as repository
stub = service.GRPCInferenceServiceStub(grpc.insecure_channel(sys.argv[1]))
tensor = pb.ModelInferRequest.InferInputTensor
calls = [
    lambda: stub.RepositoryModelUnload(repository.RepositoryModelUnloadRequest(model_name="flights")),
    lambda: stub.RepositoryIndex(repository.RepositoryIndexRequest()),
    lambda: stub.ModelInfer(pb.ModelInferRequest(model_name="hunter2")),
    lambda: stub.ModelReady(pb.ModelReadyRequest(name="hunter2")),
    lambda: stub.ModelMetadata(pb.ModelMetadataRequest(name="hunter2")),
    lambda: stub.ModelInfer(pb.ModelInferRequest(model_name="flights", model_version="hunter2")),
    lambda: stub.ModelInfer(
        pb.ModelInferRequest(
            model_name="flights",
            inputs=[tensor(name="a", shape=[3], datatype="FP64")],
            raw_input_contents=[b"hunter2"],
        )
    ),
    lambda: stub.ModelInfer(
        pb.ModelInferRequest(
            model_name="flights",
            inputs=[tensor(name="a", shape=[1900000], datatype="BOOL")],
            raw_input_contents=[bytes(1900000)],
        )
    ),
]
for call in calls:
    try:
        call()
        print("OK")
    except grpc.RpcError as error:
        print(error.code().name, error.details())
"""


def rows_and_predictions(project: Project, n: int) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Rows of the sample as JSON, and what the command `predict` writes for them."""
    python, out = project.root / ".venv/bin/python", project.root / "predictions.csv"
    must([python, "-m", "pipeline.predict", "data/sample.csv", "--out", out], project.root)
    code = (
        "import json; from pathlib import Path; from pipeline import answer, read, schema\n"
        "wanted = answer.drop_target(schema.load())\n"
        f"frame = read.read(Path('data/sample.csv'), wanted).select(list(wanted.columns)).head({n})\n"
        "print(json.dumps(frame.to_dicts(), default=lambda time: time.isoformat()))"
    )
    with out.open(newline="") as stream:
        return json.loads(must([python, "-c", code], project.root)), list(csv.DictReader(stream))[:n]


def blocks(page: Path, language: str) -> list[str]:
    parts = page.read_text("utf-8").split(f"```{language}\n")[1:]
    return [part.partition("```")[0] for part in parts]


def test_curl_gets_what_predict_wrote(project: Project) -> None:
    rows, written = rows_and_predictions(project, 100)
    page = project.tier / "README.md"
    port = free_port()
    told = project.root / "mlops.d/servers.yaml"
    told.write_text(f'serving: {{servers: ["http://127.0.0.1:{port}"]}}\n')
    must(["git", "add", told], project.root)
    with served(project, port) as address:
        status, answer = ask(address, "/predict", {"rows": rows})
        assert (status, answer["version"]) == (200, "v0.1.0")
        assert [one["key"] for one in answer["predictions"]] == [row["key"] for row in written]
        for one, row in zip(answer["predictions"], written, strict=True):
            assert one["probability"] == float(row["probability"])  # the same bits
            assert str(one["prediction"]).lower() == row["prediction"]
            assert (
                ask(address, "/predict", {"rows": [rows[0]]})[1]["predictions"] == answer["predictions"][:1]
            )

        here = address.removeprefix("http://")
        shell = blocks(page, "sh")[0].replace("127.0.0.1:8080", here)
        assert '"version":"v0.1.0"' in must(["sh", "-euc", shell], project.root.parent)
        script = "".join(blocks(page, "python")).replace("127.0.0.1:8080", here)
        first = answer["predictions"][0]
        shown = must([project.tool_named("python"), "-c", script], project.root.parent).splitlines()
        assert shown[0] == f"v0.1.0 {[first]}"
        assert shown[1] == f"[{first['prediction']}]"

        status, answer = ask(address, "/predict", {"rows": [rows[0] | {"carrier": "hunter2"}]})
        assert (status, answer["error"]) == (
            422,
            "row 0, column 'carrier': none of its values; GET /v2/models/NAME lists them",
        )
        assert ask(address, "/v2/models/flights")[1]["parameters"]["path"] == "fast"
        said = must([project.tool_named("python"), "-c", HOSTILE, here], project.root.parent)
        codes = [line.split()[0] for line in said.splitlines()]
        assert codes == ["UNIMPLEMENTED"] * 2 + ["NOT_FOUND"] * 4 + ["INVALID_ARGUMENT"] * 2, said
        assert "hunter2" not in said
        targets = json.loads((project.root / f".mlops/serving/targets-{port}.json").read_text())
        (replica,) = [one["targets"][0] for one in targets if one["labels"]["role"] == "replica"]
        metrics = urlopen(f"http://{replica}/metrics", timeout=30).read().decode()
        assert 'mlops_fast_path{version="v0.1.0"} 1.0' in metrics
        assert "hunter2" not in metrics  # callers make no time series
        assert 'mlops_requests_refused_total{version="v0.1.0"} 3.0' in metrics  # two of gRPC

        project.change("params.yaml", "learning_rate: 0.05", "learning_rate: 0.1")
        must([*DVC, "repro", "--quiet"], project.root)
        must([*DVC, "push", "--quiet"], project.root)
        project.push("Learn faster")
        must([KIT, "gate"], project.root)
        must([KIT, "register"], project.root)
        must([KIT, "promote", "v0.2.0", "--why", "faster"], project.root)
        until("v0.2.0", lambda: ask(address, "/predict", {"rows": rows})[1]["version"] == "v0.2.0" or None)

    log = project.root / ".mlops/serving/predictions"
    lines = [json.loads(line) for file in log.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert {line["version"] for line in lines} == {"v0.1.0", "v0.2.0"}
    assert all(line["request_id"] for line in lines)
    assert "hunter2" not in json.dumps(lines)
    checked = run([KIT, "monitor", "check", "--json", "--window", f"{log}/*.jsonl"], project.root)
    assert checked.code in (0, 10), checked.said
    seen = json.loads(checked.stdout)["infrastructure"]
    assert (seen["rows"], seen["errors"]) == (len(lines), 1)
    assert None not in (seen["p95_seconds"], seen["memory_mb"], seen["disk_free_share"])


def test_verify_compares_what_is_served(project: Project) -> None:
    done = run([KIT, "verify", "v0.1.0", "--json"], project.root)
    assert (done.code, json.loads(done.stdout)["result"]) == (0, "same"), done.said
    assert "ask for the test rows" in done.stderr
    project.change(
        "serving/seldon/forms.py",
        '"predictions": core.predict(_some(given), request_id)',
        '"predictions": [one | {"probability": 0.5} for one in core.predict(_some(given), request_id)]',
    )
    done = run([KIT, "verify", "v0.1.0"], project.root)
    assert (done.code, "1000 of 1000 answers over HTTP" in done.stdout) == (10, True), done.said


def test_the_tier_passes_its_own_checks(project: Project) -> None:
    check(project)


def test_what_is_not_served(project: Project) -> None:
    """Each with its reason: a changed model, another library, a function that is not there, no version."""
    model = project.root / "model/model.joblib"
    whole = model.read_bytes()
    model.chmod(0o644)
    model.write_bytes(whole + b"\0")
    project.change("params.yaml", "learning_rate: 0.05", "learning_rate: 0.1")
    done = refused(project, "--workspace")
    stale = "warning: the model in the workspace is stale. will retrain: train, because train.arguments.learning_rate 0.05 -> 0.1"
    assert stale in done.stderr, done.said
    must(["git", "restore", "params.yaml"], project.root)
    assert (done.code, "model is not what dvc.lock says" in done.stderr) == (1, True), done.said
    model.write_bytes(whole)

    project.change("mlops.d/seldon.yaml", "pipeline.answer:answers", "pipeline.answer:nothing")
    done = refused(project, "--workspace")
    assert (done.code, "pipeline.answer:nothing cannot be imported" in done.stderr) == (1, True), done.said
    project.change("mlops.d/seldon.yaml", "  predict: pipeline.answer:nothing", "  # none")
    done = refused(project, "--workspace")
    assert (done.code, "serving.predict" in done.stderr) == (1, True), done.said

    must(["git", "restore", "mlops.d"], project.root)
    must(["uv", "add", "--quiet", "--no-sync", "protobuf>=7"], project.root)  # MLServer wants an older one
    done = refused(project, "--workspace")
    assert done.code == 1
    assert "protobuf" in done.stderr and "mlserver" in done.stderr, done.said


def test_an_adopted_repository_is_served(mlops_new: Path, once: Once, tmp_path: Path) -> None:
    """By the function of the tier's README; its rows are refused by what the function raises."""
    root = tmp_path / "churn"
    shutil.copytree(adoptions.script(mlops_new, once).root, root, symlinks=True)
    must(["git", "commit", "--quiet", "--message=Train by DVC"], root)
    must([mlops_new, "add", "serving=seldon"], root)
    tier = root / "serving/seldon"
    assert not {"door.py", "fast.py", "test_pipeline.py"} & {file.name for file in tier.iterdir()}
    must(["git", "add", "--all"], root)
    must(["git", "commit", "--quiet", "--message=Add serving"], root)
    project = Project(root, "seldon", "serving")
    assert "serving.predict is missing" in refused(project, "--workspace").stderr

    code, contract = blocks(tier / "README.md", "python")[0], blocks(tier / "README.md", "yaml")[0]
    (root / "answers.py").write_text(code.replace("model.pkl", "churn model.pkl"))
    with (root / "mlops.yaml").open("a") as stream:
        stream.write(contract)
    with served(project, free_port(), "--workspace") as address:
        rows = [{"months": 1, "calls": 9}, {"months": 50, "calls": 0}]
        status, answer = ask(address, "/predict", {"rows": rows})
        assert (status, answer["predictions"]) == (200, [{"prediction": 1.0}, {"prediction": 0.0}])
        status, answer = ask(address, "/predict", {"rows": [{"months": "hunter2", "calls": 0}]})
        assert (status, "hunter2" in str(answer)) == (422, False)


@pytest.fixture
def others(project: Project, once: Once) -> Path:
    """The Python of an environment with KServe, LightGBM and XGBoost beside the packages of the model."""

    def made(into: Path) -> None:
        words = ["uv", "export", "--frozen", "--no-dev", "--no-hashes", "--no-emit-project", "--prune", "dvc"]
        (into / "model.txt").write_text(must(words, project.root))
        must(["uv", "venv", "--quiet", "venv"], into)
        packages = ["kserve==0.21.0", "psutil<6", "lightgbm", "xgboost-cpu", "-r", "model.txt"]
        must(["uv", "pip", "install", "--quiet", "--python", "venv", *packages], into)

    return once("kserve", made) / "venv/bin/python"


def test_the_fast_path_has_the_bits_of_the_pipeline(project: Project, others: Path) -> None:
    """For three tasks and five estimators; tests/bench does it with 20,000 rows."""
    told = must([others, ROOT / "tests/tiers/paths.py", "1000"], project.root, PYTHONPATH=".")
    models = [json.loads(line) for line in told.splitlines()]
    assert len(models) == 15
    assert [(one["differ"], one["singly"]) for one in models] == [(0, 0)] * 15, models
    assert {one["model"] for one in models if one["walks"]} == {
        f"{task} sklearn.ensemble.HistGradientBoosting{kind}"
        for task, kind in [
            ("binary", "Classifier"),
            ("multiclass", "Classifier"),
            ("regression", "Regressor"),
        ]
    }


def test_kserve_gives_the_same_answers(project: Project, others: Path) -> None:
    rows, written = rows_and_predictions(project, 1)
    port = free_port()
    command = [others, "-m", "serving.seldon.kserve_server", "--http_port", port, "--grpc_port", free_port()]
    named = {
        "MODEL_NAME": "flights",
        "MODEL_VERSION": "v0.1.0",
        "MODEL_PREDICT": "pipeline.answer:answers",
    }
    kinds = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES", type(None): "FP64"}
    tensors = [
        {"name": name, "shape": [1], "datatype": kinds[type(value)], "data": [value]}
        for name, value in rows[0].items()
    ]
    log = project.root.parent / "kserve.txt"
    with started(command, project.root, log, named):
        address = f"http://127.0.0.1:{port}"
        until("KServe", lambda: ask(address, "/v2/models/flights/ready")[1]["ready"] or None, log)
        status, answer = ask(address, "/v2/models/flights/infer", {"inputs": tensors})
        outputs = {one["name"]: one["data"][0] for one in answer["outputs"]}
        assert (status, outputs["key"], outputs["probability"]) == (
            200,
            written[0]["key"],
            float(written[0]["probability"]),
        )
        tensors[2]["data"] = ["hunter2"]
        status, answer = ask(address, "/v2/models/flights/infer", {"inputs": tensors})
        assert (status, "column 'carrier'" in str(answer), "hunter2" in str(answer)) == (400, True, False)
