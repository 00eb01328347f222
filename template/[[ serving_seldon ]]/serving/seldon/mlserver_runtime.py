"""The adapter for MLServer, which Seldon Core runs."""

import struct
from collections.abc import Callable
from typing import Any

import grpc
from fastapi import Request
from grpc import StatusCode
from mlserver import MLModel, types
from mlserver.errors import MLServerError
from mlserver.grpc import dataplane_pb2 as messages
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.grpc.servicers import InferenceServicer
from mlserver.grpc.utils import to_headers
from mlserver.handlers import custom_handler
from starlette.responses import Response

from serving.seldon import forms
from serving.seldon.core import Core, Refused


class Runtime(MLModel):  # type: ignore[misc]  # MLServer has no types
    """REST by two handlers, which the proxy's routes lead to; gRPC by `predict`."""

    core: Core  # set by replica.py before MLServer makes an instance

    @custom_handler(rest_path="/predict")  # type: ignore[untyped-decorator]  # no types
    async def of_rows(self, request: Request) -> Response:
        return await self._response(forms.rows, request)

    @custom_handler(rest_path="/infer")  # type: ignore[untyped-decorator]  # no types
    async def of_tensors(self, request: Request) -> Response:
        return await self._response(forms.tensors, request)

    async def predict(self, payload: types.InferenceRequest) -> types.InferenceResponse:
        """What MLServer calls where nothing of ours stands in front of it, for instance in Seldon Core."""
        headers = (payload.parameters and getattr(payload.parameters, "headers", None)) or {}
        try:
            return answered(self.core, payload, headers.get("x-request-id", ""))
        except Refused as refused:
            raise MLServerError(str(refused), refused.status) from None

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


# What MLServer's converter raises for shapes, types and raw bytes that lie; pydantic's errors are ValueErrors.
UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    struct.error,
)


class Servicer(InferenceServicer):  # type: ignore[misc]  # no types either
    """gRPC without MLServer's errors, which repeat values, and its metrics, which take their labels from callers."""

    core: Core

    async def ModelInfer(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        await self._expect(request.model_name, request.model_version, context)
        code, says = StatusCode.INVALID_ARGUMENT, ""
        try:
            payload = ModelInferRequestConverter.to_types(request)
            answer = answered(self.core, payload, to_headers(context).get("x-request-id", ""))
            return ModelInferResponseConverter.from_types(
                answer, use_raw=bool(request.raw_input_contents)
            )
        except Refused as refused:
            code, says = (code if refused.status < 500 else StatusCode.INTERNAL), str(refused)
        except UNREADABLE:
            says = "the tensors cannot be read"
        self.core.refused += code == StatusCode.INVALID_ARGUMENT
        await context.abort(code, says)

    async def ModelReady(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        await self._expect(request.name, request.version, context)
        return messages.ModelReadyResponse(ready=True)

    async def ModelMetadata(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        await self._expect(request.name, request.version, context)
        return await super().ModelMetadata(request, context)

    async def _expect(self, name: str, version: str, context: grpc.aio.ServicerContext) -> None:
        if name != self.core.name or version not in ("", self.core.version):
            await context.abort(StatusCode.NOT_FOUND, "this server has no such model or version")


def answered(
    core: Core, payload: types.InferenceRequest, request_id: str
) -> types.InferenceResponse:
    """The answer to tensors. Raises Refused."""
    inputs = [{**one.model_dump(), "data": list(one.data.root)} for one in payload.inputs]
    found = forms.tensors(core, {"inputs": inputs}, request_id)
    for output in found["outputs"]:
        if output["datatype"] == "BYTES":  # gRPC has no texts
            output["data"] = [str(value).encode() for value in output["data"]]
    return types.InferenceResponse(**found)
