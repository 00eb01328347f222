"""What callers meet: paths, limits, request ids. A real Envoy, and replicas that know no model."""

import json
import shlex
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from mlops_kit.serving.address import Address
from mlops_kit.serving.envoy import configuration, routes
from mlops_kit.serving.envoy.configuration import Settings

from tests.conftest import must, run
from tests.kit.serving.running import Running
from tests.kit.small_repository import Small

HERE = Address("127.0.0.1", 9)


def test_envoy_takes_the_configuration(served: Small, tmp_path: Path) -> None:
    settings = Settings("flights", HERE, HERE, tmp_path, 1000)
    files = {
        "envoy.json": configuration.bootstrap(settings, HERE),
        configuration.ROUTES: routes.routes("flights", draining=True),
        **configuration.endpoints([(HERE, HERE)]),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    (program,) = served.root.glob(".mlops/serving/environments/*/bin/envoy")
    done = run([program, "--mode", "validate", "-c", tmp_path / "envoy.json"], tmp_path)
    assert done.code == 0, done.said
    assert "rejected" not in done.said  # of a file beside it, which does not fail the check


def test_a_version_answers(server: Running) -> None:
    facts = server.facts
    assert (facts["version"], facts["replicas"]) == ("v0.1.0", 2)
    answer = json.loads(must(["sh", "-c", facts["try_it"]], server.one.root))
    assert (answer["version"], answer["path"], answer["predict"]) == (
        "v0.1.0",
        "/predict",
        "pipeline.predict:answers",
    )
    assert answer["log"] == str(server.one.root / ".mlops/serving/predictions")
    body = shlex.split(facts["try_it"])[-1]
    assert json.loads(body) == {"rows": [{"name": "it's"}]}


@pytest.mark.parametrize(
    ("method", "path", "status", "reaches"),
    [
        ("GET", "/v2", 200, "/v2"),
        ("GET", "/v2/health/live", 200, "/v2/health/live"),
        ("GET", "/v2/health/ready", 200, "/v2/health/ready"),
        ("GET", "/v2/models/flights/ready", 200, "/v2/models/flights/ready"),
        ("POST", "/v2/models/flights/infer", 200, "/infer"),
        ("POST", "/-/refresh", 202, ""),
        ("GET", "/predict", 405, ""),
        ("DELETE", "/v2/models/flights", 405, ""),
        ("POST", "/v2/models/another/infer", 404, ""),
        ("POST", "/v2/repository/models/flights/unload", 404, ""),
        ("POST", "/infer", 404, ""),
        ("GET", "/metrics", 404, ""),
        ("GET", "/", 404, ""),
        ("GET", "/v2/..%2fmetrics", 400, ""),
    ],
)
def test_paths(server: Running, method: str, path: str, status: int, reaches: str) -> None:
    answer = server.ask(path, method, b"{}" if method == "POST" else None)
    assert (answer.status, answer.json.get("path", "")) == (status, reaches)
    assert answer.headers["content-type"] == "application/json"
    if status >= 400:
        assert answer.json["status"] == status


def test_a_request_keeps_its_id_and_gets_one_without(server: Running) -> None:
    given = "3f2b1c4d-aaaa-4bbb-8ccc-0123456789ab"  # Envoy would change a digit of a UUID
    answer = server.ask("/predict", "POST", b"{}", x_request_id=given)
    assert answer.json["request_id"] == answer.headers["x-request-id"] == given
    answer = server.ask("/predict", "POST", b"{}")
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert len(answer.headers["x-request-id"]) == 36
    for odd in ("a b", "x" * 129, '"}{'):
        answer = server.ask("/predict", "POST", b"{}", x_request_id=odd)
        assert answer.status == 400
        assert answer.json["error"] == "x-request-id is not 1 to 128 letters, digits or ._:-"


def test_a_body_that_is_too_large_is_refused(server: Running) -> None:
    assert server.ask("/predict", "POST", b"x" * 2_000_000).status == 200
    answer = server.ask("/predict", "POST", b"x" * 3_000_000)
    assert (answer.status, answer.json["error"]) == (413, "Payload Too Large")


def test_slow_headers_and_idle_connections_stop_nobody(server: Running) -> None:
    """A thousand connections that say nothing, and one that begins a request and never ends it."""
    with ExitStack() as stack:
        address = (server.host, server.port)
        slow = stack.enter_context(socket.create_connection(address))
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\n")
        for _ in range(1000):
            stack.enter_context(socket.create_connection(address))
        begin = time.monotonic()
        assert server.predict()["version"] == "v0.1.0"
        assert time.monotonic() - begin < 2
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")


def test_prometheus_finds_replicas_and_proxies(server: Running) -> None:
    listed = json.loads((server.one.root / server.facts["targets"]).read_text())
    by_role = {group["labels"]["role"]: group for group in listed}
    assert by_role["replica"]["labels"]["version"] == "v0.1.0"
    assert len(by_role["replica"]["targets"]) == len(by_role["proxy"]["targets"]) == 2
    labels = by_role["proxy"]["labels"]
    assert (labels["__metrics_path__"], labels["__param_usedonly"]) == ("/stats/prometheus", "1")
    url = f"http://{by_role['proxy']['targets'][0]}/stats/prometheus?usedonly=1"
    assert "envoy_cluster_membership_healthy" in must(["curl", "--silent", url], server.one.root)
