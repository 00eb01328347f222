"""Which paths Envoy answers, and from where. Everything else is a 404."""

from typing import Any

from mlops_kit.serving.envoy.configuration import (
    ASK_ANOTHER_AFTER,
    CONTROL,
    GRPC,
    LISTENER,
    REQUEST_WITHIN,
    REST,
    RETRIES,
    Json,
    route_file,
)

REQUEST_ID = "[A-Za-z0-9._:-]{1,128}"  # it stands in the predictions log
SERVICE = "/inference.GRPCInferenceService/"
# Not MLServer's RepositoryModelLoad and -Unload, which the same service has: they would let a caller end the model.
METHODS = ("ModelInfer", "ModelMetadata", "ModelReady", "ServerLive", "ServerMetadata", "ServerReady")


def routes(model: str, *, draining: bool = False) -> Json:
    """The file of routes. A server that drains answers as usual, but says that it is not ready."""
    at = f"/v2/models/{model}"
    found = [
        _odd_request_id(),
        *(_grpc(method) for method in METHODS),
        *_path("/predict", "POST", _replicas()),
        *_path(f"{at}/infer", "POST", _replicas(prefix_rewrite="/infer")),
        *_path("/-/refresh", "POST", {"route": {"cluster": CONTROL, "timeout": "5s"}}),
    ]
    for path in ("/v2", at, "/v2/health/live"):
        found += _path(path, "GET", _replicas())
    for path in ("/v2/health/ready", f"{at}/ready"):
        found += _path(path, "GET", _says(503, "the server is stopping") if draining else _replicas())
    found.append({"match": {"prefix": "/"}, **_says(404, "there is nothing at this path")})
    return route_file({"name": LISTENER, "domains": ["*"], "routes": found})


def _path(path: str, method: str, action: Json) -> list[Json]:
    """One method is answered, others are a 405."""
    right = {"name": ":method", "string_match": {"exact": method}}
    wrong = _says(405, f"only {method} is allowed at this path", allow=method)
    return [{"match": {"path": path, "headers": [right]}, **action}, {"match": {"path": path}, **wrong}]


def _odd_request_id() -> Json:
    odd = {
        "name": "x-request-id",
        "string_match": {"safe_regex": {"regex": REQUEST_ID}},
        "invert_match": True,
    }
    says = "x-request-id is not 1 to 128 letters, digits or ._:-"
    return {"match": {"prefix": "/", "headers": [odd]}, **_says(400, says)}


def _grpc(method: str) -> Json:
    return {"match": {"path": SERVICE + method, "grpc": {}}, **_replicas(cluster=GRPC)}


def _replicas(cluster: str = REST, **more: Any) -> Json:
    """A replica that cannot be reached, or breaks off, is retried elsewhere. A 4xx or a 500 is the answer."""
    retry = {
        "retry_on": "connect-failure,refused-stream,reset,gateway-error",
        "num_retries": RETRIES,
        "per_try_timeout": ASK_ANOTHER_AFTER,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        "host_selection_retry_max_attempts": RETRIES,
    }
    hedge = {"hedge_on_per_try_timeout": True}  # the first one goes on: it may be slow and not hang
    return {
        "route": {
            "cluster": cluster,
            "timeout": REQUEST_WITHIN,
            "retry_policy": retry,
            "hedge_policy": hedge,
            **more,
        }
    }


def _says(status: int, words: str, **headers: str) -> Json:
    added = [{"header": {"key": key, "value": value}} for key, value in headers.items()]
    answer: Json = {"direct_response": {"status": status, "body": {"inline_string": words}}}
    return {**answer, "response_headers_to_add": added} if added else answer
