"""mlops-kit serve."""

import sys
from pathlib import Path

import click

from mlops_kit.base.errors import KitError
from mlops_kit.cli.options import examples, excludes, json_option
from mlops_kit.cli.output import finish, reporter


@click.command(epilog=examples("mlops-kit serve", "mlops-kit serve --version v0.3.0 --port 9000"))
@click.option(
    "--version", default="", metavar="VERSION", help="Serve this version.  [default: the one in production]"
)
@click.option("--workspace", is_flag=True, help="Serve the model of the workspace, as in dvc.lock.")
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; 0.0.0.0: all.",
)
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0: any free one.",
)
@click.option(
    "--replicas",
    metavar="N",
    type=click.IntRange(min=1),
    help="Number of processes.  [default: serving.replicas in mlops.yaml]",
)
@click.option("--log/--no-log", default=True, show_default=True, help="Write the predictions log.")
@json_option
@excludes("--version", "--workspace")
def command(
    version: str, workspace: bool, host: str, port: int, replicas: int | None, log: bool, as_json: bool
) -> None:
    """Serve a version over HTTP and gRPC.

    The default is the version in production. When production changes, the server changes too, without losing a request:
    it looks every minute, on SIGHUP and on POST /-/refresh. Ctrl-C or SIGTERM finishes open requests first; a second
    Ctrl-C stops at once.
    """
    if sys.platform == "win32":
        raise KitError(
            "`serve` needs Linux or macOS: Envoy does not run here.", "Run it in WSL, or in a container."
        )
    from mlops_kit.project import contract as contracts
    from mlops_kit.project import repository
    from mlops_kit.serving import server
    from mlops_kit.serving.server import ServeRequest

    repo = repository.find(Path.cwd())
    request = ServeRequest(version, workspace, host, port, replicas, log)
    contract = contracts.load(repo.root)
    server.serve(repo, contract, request, reporter(), lambda started: finish(started, started.says, as_json))
