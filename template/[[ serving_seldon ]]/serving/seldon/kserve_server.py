"""The adapter for KServe's ModelServer: the same answers in its protocol, for clusters that run KServe.

python -m serving.seldon.kserve_server --http_port 8080 --grpc_port 8081, at the root of the tree that is served, with
MODEL_NAME, MODEL_VERSION and MODEL_PREDICT (MODULE:FUNCTION) in its environment. It needs `pip install kserve 'psutil<6'`
beside the packages of the model, because KServe and MLServer cannot share an environment.
"""

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput

from serving.seldon import forms
from serving.seldon.core import Core, Refused
from serving.seldon.load import load


class Served(Model):  # type: ignore[misc]  # KServe is not in this environment: Any
    def __init__(self, served: Core) -> None:
        super().__init__(served.name)
        self.core, self.ready = served, True

    async def predict(
        self, payload: InferRequest, headers: dict[str, str] | None = None, *_: Any
    ) -> InferResponse:
        inputs = [
            {
                "name": one.name,
                "shape": list(one.shape),
                "datatype": one.datatype,
                "data": list(one.data),
            }
            for one in payload.inputs
        ]
        request_id = (headers or {}).get("x-request-id", "")
        try:
            outputs = forms.tensors(self.core, {"inputs": inputs}, request_id)["outputs"]
        except Refused as refused:
            raise InvalidInput(str(refused)) from None  # 400, and INVALID_ARGUMENT
        tensors = [
            InferOutput(one["name"], one["shape"], one["datatype"], one["data"]) for one in outputs
        ]
        return InferResponse(payload.id or str(uuid4()), self.name, tensors, self.core.version)


if __name__ == "__main__":
    name, version, function = (os.environ[f"MODEL_{it}"] for it in ("NAME", "VERSION", "PREDICT"))
    ModelServer().start([Served(load(Path.cwd(), name, version, function))])
