"""mlops-kit serve."""

import sys
from pathlib import Path

import click

from mlops_kit.base.errors import KitError
from mlops_kit.cli.options import excludes, json_option
from mlops_kit.cli.output import finish, reporter


@click.command(epilog="Example: mlops-kit serve --version v0.3.0 --port 9000")
@click.option("--version", default="", metavar="VERSION", help="Serve this version.  [default: the stage's]")
@click.option("--workspace", is_flag=True, help="Serve what is here, as dvc.lock names it.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 for all.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one."
)
@click.option(
    "--replicas", type=click.IntRange(min=1), help="Processes that answer.  [default: as in mlops.yaml]"
)
@click.option("--log/--no-log", default=True, show_default=True, help="Write the predictions log.")
@json_option
@excludes("--version", "--workspace")
def command(
    version: str, workspace: bool, host: str, port: int, replicas: int | None, log: bool, as_json: bool
) -> None:
    """Serve a version over HTTP and gRPC until Ctrl-C.

    Without an option it serves what production holds, and follows when that changes: it looks every minute, on SIGHUP
    and on POST /-/refresh. Ctrl-C or SIGTERM ends requests in flight first; a second Ctrl-C ends at once.
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
