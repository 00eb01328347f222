"""The two forms of a request and of its answer, whatever the engine: bytes in, status and bytes out.

POST /predict                 {"rows": [{column: value}, ...]}  ->  {"version": ..., "predictions": [...]}
POST /v2/models/NAME/infer    the Open Inference Protocol's tensors, one a column, in and out
"""

from collections.abc import Callable
from math import isnan
from typing import Any

import orjson

from serving.seldon.core import Answer, Core, Refused, Row

Json = dict[str, Any]
ROWS_AT_MOST = 10_000  # in one request
BYTES_AT_MOST = 2 * 1024**2  # as the proxy has it, for engines without one
NUMBERS = ("FP64", "FP32", "INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16", "UINT8")
DATATYPES = {  # of a column's type in data/schema.yaml
    "number": "FP64",
    "integer": "INT64",
    "boolean": "BOOL",
    "category": "BYTES",
    "text": "BYTES",
    "time": "BYTES",
}
TYPES = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}


def answer(
    core: Core, form: Callable[[Core, Json, str], Json], body: bytes, headers: Any
) -> tuple[int, bytes]:
    """Status and body. A refusal says which field is wrong and repeats no value of the request."""
    try:
        content = form(core, _parsed(body, headers), headers.get("x-request-id", "")[:128])
        return 200, orjson.dumps(content)
    except Refused as refused:
        core.refused += refused.status < 500
        return refused.status, orjson.dumps({"error": str(refused)})


def rows(core: Core, content: Json, request_id: str) -> Json:
    """POST /predict."""
    if not isinstance(given := content.get("rows"), list):
        raise Refused(400, 'the body is not {"rows": [{column: value}, ...]}')
    return {"version": core.version, "predictions": core.predict(_some(given), request_id)}


def tensors(core: Core, content: Json, request_id: str) -> Json:
    """POST /v2/models/NAME/infer."""
    if not isinstance(inputs := content.get("inputs"), list) or not inputs:
        raise Refused(400, "the body has no list of `inputs`; rows go to POST /predict")
    given = content.get("id")
    if given is not None and not isinstance(given, str):
        raise Refused(400, "`id` is not a text")
    answers = core.predict(_some(from_tensors(inputs)), request_id or (given or "")[:128])
    found: Json = {"model_name": core.name, "model_version": core.version}
    return found | ({"id": given} if given else {}) | {"outputs": to_tensors(answers)}


def from_tensors(inputs: list[Any]) -> list[Row]:
    """Rows of tensors with the shape [n] or [n, 1], one a column. Raises Refused for shapes that lie."""
    columns: dict[str, list[Any]] = {}
    for at, tensor in enumerate(inputs):
        if not isinstance(tensor, dict) or not isinstance(name := tensor.get("name"), str):
            raise Refused(400, f"input {at} is not an object with a `name`")
        if name in columns:
            raise Refused(400, f"input {at} has the name of an earlier one")
        columns[name] = _values(tensor, f"input {at}")
    if len({len(values) for values in columns.values()}) > 1:
        raise Refused(400, "the inputs have different numbers of rows")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(tensor: Json, which: str) -> list[Any]:
    shape, data, kind = (tensor.get(key) for key in ("shape", "data", "datatype"))
    if not isinstance(data, list) or not isinstance(shape, list):
        raise Refused(400, f"{which}: `shape` and `data` are not lists")
    if len(data) > ROWS_AT_MOST:  # before anything is made of them
        raise Refused(400, f"{which}: {len(data)} values; a request has 1 to {ROWS_AT_MOST} rows")
    if len(shape) == 2 and shape[1] == 1 and data and isinstance(data[0], list):
        if any(not isinstance(one, list) or len(one) != 1 for one in data):
            raise Refused(400, f"{which}: `data` does not have the shape that `shape` says")
        data = [one[0] for one in data]
    if shape not in ([len(data)], [len(data), 1]) or any(type(n) is not int for n in shape):
        raise Refused(400, f"{which}: `shape` is not [n] or [n, 1] with n values in `data`")
    if kind == "BOOL":
        return data
    if kind in NUMBERS:
        return [None if _is_nan(value) else value for value in data]
    if kind == "BYTES":
        return [_text(value, which) for value in data]
    raise Refused(400, f"{which}: `datatype` is none of BOOL, BYTES, {', '.join(NUMBERS)}")


def _is_nan(value: Any) -> bool:
    """NaN is how a tensor says null."""
    return isinstance(value, float) and isnan(value)


def _text(value: Any, which: str) -> Any:
    """Text, with the empty one as null: tensors of bytes have no other."""
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(422, f"{which}: a text is not UTF-8") from None
    return None if value == "" else value


def to_tensors(answers: list[Answer]) -> list[Json]:
    """A tensor for each column of the answers."""
    return [
        {
            "name": name,
            "shape": [len(answers)],
            "datatype": TYPES.get(type(answers[0][name]), "BYTES"),
            "data": [one[name] for one in answers],
        }
        for name in answers[0]
    ]


def _parsed(body: bytes, headers: Any) -> Json:
    if headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise Refused(415, "a compressed body is not read")
    kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "the content type is not application/json")
    if len(body) > BYTES_AT_MOST:
        raise Refused(413, f"the body has more than {BYTES_AT_MOST} bytes")
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(
            400, f"the body is not JSON: {error.msg.partition(':')[0]} at byte {error.pos}"
        ) from None
    if not isinstance(content, dict):
        raise Refused(400, "the body is not a JSON object")
    return content


def _some(given: list[Row]) -> list[Row]:
    if not 1 <= len(given) <= ROWS_AT_MOST:
        raise Refused(400, f"{len(given)} rows; a request has 1 to {ROWS_AT_MOST}")
    return given


def metadata(core: Core) -> Json:
    """What GET /v2/models/NAME says beside the name: version, path, columns and a request that works."""
    path = {"path": "slow", "because": core.slow_because} if core.slow_because else {"path": "fast"}
    example = {"example": {"rows": core.probes[:1]}} if core.probes else {}
    named = {name: core.schema.columns[name] for name in (core.door.readers if core.door else ())}
    columns = [
        {"name": name, "datatype": DATATYPES[one.type], "shape": [-1], "parameters": _allowed(one)}
        for name, one in named.items()
    ]
    facts = path | example
    return {"versions": [core.version], "platform": "mlops", "inputs": columns, "parameters": facts}


def _allowed(column: Any) -> Json:
    """What data/schema.yaml says of a column, for callers who do not have it."""
    allowed = {"type": column.type, "nulls": column.missing > 0}
    limits = {"min": column.min, "max": column.max, "values": column.values or None}
    return allowed | {name: value for name, value in limits.items() if value is not None}
