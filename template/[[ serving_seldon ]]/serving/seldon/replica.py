"""One process that serves one version with MLServer; `mlops-kit serve` starts as many as it should.

python -m serving.seldon.replica --root FOLDER --model NAME --version V --predict MODULE:FUNCTION --http-port N ...
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy loads: threads make one row slower

import uvloop
from mlserver import MLServer, ModelSettings, Settings
from mlserver.settings import ModelParameters

from serving.seldon.core import Core
from serving.seldon.integrity import Refusal
from serving.seldon.load import load
from serving.seldon.metrics import Metrics
from serving.seldon.mlserver_runtime import Runtime

LOGGING = {  # without the lines about each start and each request
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        "mlserver": {"level": "WARNING"},
        # each refused request, with its traceback
        "mlserver.grpc": {"level": "CRITICAL"},
    },
}


def settings(ports: argparse.Namespace, scratch: str) -> Settings:
    """MLServer's settings, where its own would listen everywhere, start workers or write into the tree."""
    return Settings(
        debug=False,
        host="127.0.0.1",
        http_port=ports.http_port,
        grpc_port=ports.grpc_port,
        metrics_port=ports.metrics_port,
        parallel_workers=0,  # a process is a replica; workers cost memory and lose process metrics
        metrics_dir=scratch,
        environments_dir=scratch,
        gzip_enabled=False,
        logging_settings=LOGGING,
        load_models_at_startup=False,
    )


async def serve(served: Core, ports: argparse.Namespace) -> None:
    Runtime.core = served
    Metrics(served)
    with TemporaryDirectory(prefix="mlserver-") as scratch:
        server = MLServer(settings(ports, scratch))
        model = ModelSettings(
            name=served.name,
            implementation=Runtime,
            parameters=ModelParameters(version=served.version),
        )
        await server.start([model])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument(
        "--root", type=Path, required=True, help="tree with code, schema, dvc.lock and model"
    )
    parser.add_argument("--model", required=True)
    parser.add_argument(
        "--version", default="", help="empty: the workspace, named by the model's md5"
    )
    parser.add_argument("--predict", required=True, metavar="MODULE:FUNCTION")
    for port in ("http", "grpc", "metrics"):
        parser.add_argument(f"--{port}-port", type=int, required=True)
    parser.add_argument("--log", default="", help="folder of the predictions log; empty: none")
    options = parser.parse_args()
    log, root = Path(options.log).resolve() if options.log else None, options.root.resolve()
    os.chdir(root)
    sys.path.insert(0, str(root))
    try:
        served = load(root, options.model, options.version, options.predict, log)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 3
    path = f"slow path: {served.slow_because}" if served.slow_because else "fast path"
    print(f"{served.name} {served.version} is loaded ({path})", file=sys.stderr)
    try:
        uvloop.run(serve(served, options))
    finally:
        if served.log:
            served.log.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
