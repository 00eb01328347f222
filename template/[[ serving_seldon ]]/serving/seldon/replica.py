"""One process that serves one version with MLServer; `mlops-kit serve` starts as many as it should.

python -m serving.seldon.replica --root FOLDER --model NAME --version V --predict MODULE:FUNCTION --http-port N ...
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType


class Unused(ModuleType):
    """Stands for a module that MLServer imports and this process never calls."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


# Kafka and tracing, which the settings below leave off: a sixth of the start
for module in (
    "mlserver.kafka",
    "mlserver.tracing",
    "opentelemetry.instrumentation.fastapi",
    "opentelemetry.instrumentation.grpc",
):
    sys.modules[module] = Unused(module)
for name in [name for name in os.environ if name.startswith("MLSERVER_")]:
    del os.environ[name]  # its settings are below
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy loads: threads make one row slower

import mlserver.grpc.server
import uvloop
from mlserver import MLServer, ModelSettings, Settings
from mlserver.settings import ModelParameters

from serving.seldon import forms
from serving.seldon.core import Core
from serving.seldon.integrity import Refusal
from serving.seldon.load import load
from serving.seldon.metrics import Metrics
from serving.seldon.mlserver_runtime import Runtime, Servicer

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
        _env_file=None,  # a `.env` in the tree is not for the engine
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
        model_repository_root=scratch,  # nothing in the tree is loaded as a model
        grpc_max_message_length=forms.BYTES_AT_MOST,
    )


async def serve(served: Core, ports: argparse.Namespace) -> None:
    Runtime.core = Servicer.core = served
    mlserver.grpc.server.InferenceServicer = Servicer  # MLServer has no setting for it
    Metrics(served)
    with TemporaryDirectory(prefix="mlserver-") as scratch:
        server = MLServer(settings(ports, scratch))
        model = ModelSettings(
            name=served.name,
            implementation=Runtime,
            parameters=ModelParameters(_env_file=None, version=served.version),
            _env_file=None,
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
