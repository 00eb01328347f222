"""The action `login`: which roles belong to which cloud, and the login to Azure with a server in GitHub's place."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.actions.scripts import Runner

AWS = "arn:aws:iam::123456789012:role/dvc"
GOOGLE = "dvc@acme.iam.gserviceaccount.com"
AZURE = "72f988bf-86f1-41af-91ab-2d7cd011db47"
POOL = "projects/1/locations/global/workloadIdentityPools/github/providers/github"
TENANT = "c4023500-019c-48d8-aec3-366433de93ee"


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


# ---- roles ----


@pytest.mark.parametrize(
    ("roles", "providers", "expected"),
    [
        ("", "", {"clouds": ""}),
        ("  ", "eu-west-1  ", {"clouds": "", "aws-region": "eu-west-1"}),
        (AWS, "eu-west-1", {"clouds": "aws", "aws-role": AWS, "aws-region": "eu-west-1"}),
        ("dvc", "eu-west-1", {"clouds": "aws", "aws-role": "dvc"}),
        (GOOGLE, POOL, {"clouds": "google", "google-service-account": GOOGLE, "google-provider": POOL}),
        ("", POOL, {"clouds": "google", "google-service-account": "", "google-provider": POOL}),
        (AZURE, TENANT, {"clouds": "azure", "azure-client": AZURE, "azure-tenant": TENANT}),
        (AZURE.upper(), TENANT, {"clouds": "azure", "azure-client": AZURE.upper()}),
        (
            f"{AWS} {GOOGLE} {AZURE}",
            f"eu-west-1 {POOL} {TENANT}",
            {"clouds": "aws google azure", "aws-role": AWS, "google-provider": POOL, "azure-tenant": TENANT},
        ),
        ("*", "$(touch touched)", {"aws-role": "*", "aws-region": "touched)"}),
    ],
)
def test_each_role_is_of_one_cloud(
    runner: Runner, roles: str, providers: str, expected: dict[str, str]
) -> None:
    done = runner.step("login/roles", ROLES=roles, PROVIDERS=providers)
    assert done.code == 0, done.said
    outputs = runner.outputs()
    assert {name: outputs[name] for name in expected} == expected
    assert list((runner.folder / "work").iterdir()) == []


def test_a_service_account_without_a_provider_is_an_error(runner: Runner) -> None:
    done = runner.step("login/roles", ROLES=GOOGLE, PROVIDERS="eu-west-1")
    assert done.code == 1
    assert "gh variable set GOOGLE_IDENTITY_PROVIDER" in done.stdout


# ---- Azure ----

AZ = 'echo "$AZURE_CONFIG_DIR $*" >> {calls}; exit {code}'


@contextmanager
def issuing(answer: bytes, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """The address at which a runner asks for an identity token, and what it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['Authorization']}")
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token?api-version=2.0", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def azure(
    runner: Runner, answer: bytes, more: Mapping[str, str] | None = None, code: int = 0, status: int = 200
) -> tuple[int, str]:
    runner.program("az", AZ.format(calls=runner.folder / "az.calls", code=code))
    with issuing(answer, status) as (url, asked):
        variables = {"AZURE_CLIENT": AZURE, "AZURE_TENANT": TENANT, "ACTIONS_ID_TOKEN_REQUEST_URL": url}
        done = runner.step(
            "login/azure", ACTIONS_ID_TOKEN_REQUEST_TOKEN="asks", **{**variables, **(more or {})}
        )
    if asked:
        assert asked[0] == "/token?api-version=2.0&audience=api://AzureADTokenExchange bearer asks"
    return done.code, done.said


@pytest.mark.parametrize("answer", [{"count": 1, "value": "ey.a-b_c"}, {"value": "ey.a-b_c", "count": 1}])
def test_azure_gets_the_token_and_keeps_one_for_storage(runner: Runner, answer: dict[str, object]) -> None:
    code, said = azure(runner, json.dumps(answer).encode())
    assert code == 0, said
    folder = runner.environment()["AZURE_CONFIG_DIR"]
    assert Path(folder).parent == runner.folder / "temp"
    login, storage = runner.calls("az")
    assert login == (
        f"{folder} login --service-principal --username {AZURE} --tenant {TENANT} --federated-token ey.a-b_c "
        "--allow-no-subscriptions --output none"
    )
    assert storage == f"{folder} account get-access-token --resource https://storage.azure.com --output none"
    assert said == "::add-mask::ey.a-b_c\n"


@pytest.mark.parametrize(
    ("answer", "more", "message"),
    [
        (b'{"value": ""}', {}, "holds no identity token"),
        (b'{"value": "ey"}', {"AZURE_TENANT": ""}, "gh variable set AZURE_TENANT_ID"),
        (b'{"value": "ey"}', {"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, "`id-token: write`"),
    ],
)
def test_azure_says_what_is_missing(
    runner: Runner, answer: bytes, more: dict[str, str], message: str
) -> None:
    code, said = azure(runner, answer, more)
    assert code == 1 and "::error title=Azure::" in said and message in said
    assert runner.calls("az") == [] and runner.environment() == {}


def test_a_refused_request_is_an_error(runner: Runner) -> None:
    code, said = azure(runner, b"{}", status=403)
    assert code == 1 and "GitHub gave no identity token." in said


def test_a_refused_login_leaves_nothing_for_later_steps(runner: Runner) -> None:
    code, _ = azure(runner, b'{"value": "ey"}', code=3)
    assert code == 3
    assert len(runner.calls("az")) == 1 and runner.environment() == {}


def test_a_runner_without_az_is_told_so(runner: Runner, tmp_path: Path) -> None:
    for name in ("sh", "grep"):
        runner.program(name, "exit 1")
    variables = {"AZURE_CLIENT": AZURE, "AZURE_TENANT": TENANT, "ACTIONS_ID_TOKEN_REQUEST_URL": "http://x"}
    script = Path(__file__).parents[2] / "actions/login/azure"
    done = runner.run(["/bin/sh", script], PATH=str(tmp_path / "bin"), **variables)
    assert done.code == 1 and "This runner has no Azure CLI" in done.stdout
