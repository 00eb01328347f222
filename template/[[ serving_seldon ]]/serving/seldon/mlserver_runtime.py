"""The adapter for MLServer, which Seldon Core runs."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from mlserver import MLModel, types
from mlserver.errors import MLServerError
from mlserver.handlers import custom_handler
from starlette.responses import Response

from serving.seldon import forms
from serving.seldon.core import Core
from serving.seldon.door import Refused


class Runtime(MLModel):  # type: ignore[misc]
    """REST by two handlers, which the proxy's routes lead to; gRPC by `predict`."""

    core: Core  # set by replica.py before MLServer makes an instance

    @custom_handler(rest_path="/predict")  # type: ignore[untyped-decorator]
    async def of_rows(self, request: Request) -> Response:
        return await self._response(forms.rows, request)

    @custom_handler(rest_path="/infer")  # type: ignore[untyped-decorator]
    async def of_tensors(self, request: Request) -> Response:
        return await self._response(forms.tensors, request)

    async def predict(self, payload: types.InferenceRequest) -> types.InferenceResponse:
        headers = (payload.parameters and getattr(payload.parameters, "headers", None)) or {}
        inputs = [{**one.model_dump(), "data": list(one.data.root)} for one in payload.inputs]
        try:
            found = forms.tensors(self.core, {"inputs": inputs}, headers.get("x-request-id", ""))
        except Refused as refused:
            status = 400 if refused.status < 500 else 500  # gRPC: INVALID_ARGUMENT, INTERNAL
            raise MLServerError(str(refused), status) from None
        for output in found["outputs"]:
            if output["datatype"] == "BYTES":  # gRPC has no texts
                output["data"] = [str(value).encode() for value in output["data"]]
        return types.InferenceResponse(**found)

    async def metadata(self) -> types.MetadataModelResponse:
        return types.MetadataModelResponse(**forms.metadata(self.core), name=self.name)

    async def _response(self, form: Callable[..., Any], request: Request) -> Response:
        body = b""
        async for (
            chunk
        ) in request.stream():  # as sent: `request.body()` would unpack a compressed one
            if len(body := body + chunk) > forms.BYTES_AT_MOST:
                break
        status, content = forms.answer(self.core, form, body, request.headers)
        headers = {"x-model-version": self.core.version}
        return Response(content, status, headers, media_type="application/json")
