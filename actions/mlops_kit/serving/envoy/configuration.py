"""Envoy's configuration, as data: limits for callers, health checks and retries towards the replicas.

Endpoints and routes stand in files of their own, which Envoy reads again when they are replaced. So a change of
the version costs no connection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_kit.serving.address import Address

Json = dict[str, Any]

REST, GRPC, CONTROL = "replicas", "replicas-grpc", "supervisor"  # names of clusters
ROUTES = "routes.json"
LISTENER = "public"

HEADERS_WITHIN = "5s"  # from the first byte of a request to the end of its headers; then 408
REQUEST_WITHIN = "30s"  # to the end of the body, and again for the answer
BODY_AT_MOST = 2 * 1024 * 1024  # bytes; then 413
HEAP_AT_MOST = 512 * 1024**2  # bytes of one Envoy, which needs 75 MB
HEADERS_AT_MOST = 16  # KiB
IDLE_AT_MOST = "60s"  # between two requests of a connection
# Engines close an idle connection after 5 s. Envoy closes it earlier, so that no request meets a closed one.
IDLE_UPSTREAM = "4s"
RETRIES = 3
ASK_ANOTHER_AFTER = "5s"  # a replica that hangs; whichever answers first is heard
TYPES = "type.googleapis.com/envoy"


@dataclass(frozen=True)
class Settings:
    """What differs from one server to another."""

    model: str
    public: Address
    control: Address
    folder: Path  # holds routes and endpoints
    connections: int  # at most, of callers


def bootstrap(settings: Settings, admin: Address) -> Json:
    """The whole configuration of one Envoy process."""
    limit = {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": f"{TYPES}.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
            "max_active_downstream_connections": settings.connections,
        },
    }
    heap = {
        "name": "envoy.resource_monitors.fixed_heap",
        "typed_config": {
            "@type": f"{TYPES}.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
            "max_heap_size_bytes": HEAP_AT_MOST,
        },
    }
    return {
        "node": {"id": "mlops-kit", "cluster": "mlops-kit"},  # Envoy wants a name to read files
        "admin": {"address": _socket(admin), "ignore_global_conn_limit": True},
        "static_resources": {"listeners": [_listener(settings)], "clusters": clusters(settings)},
        "overload_manager": {"resource_monitors": [limit, heap], "actions": _under_pressure()},
        # By default 100, too small for a pattern that bounds a length.
        "layered_runtime": {
            "layers": [{"name": "static", "static_layer": {"re2.max_program_size.error_level": 2000}}]
        },
    }


def _under_pressure() -> list[Json]:
    """What Envoy does when bodies that callers do not finish fill its memory."""
    shares = {"shrink_heap": 0.8, "stop_accepting_requests": 0.95}
    return [
        {
            "name": f"envoy.overload_actions.{action}",
            "triggers": [{"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": share}}],
        }
        for action, share in shares.items()
    ]


def _socket(address: Address) -> Json:
    return {"socket_address": {"address": address.host, "port_value": address.port}}


# ---- towards callers ----


def _listener(settings: Settings) -> Json:
    manager = {"name": "envoy.filters.network.http_connection_manager", "typed_config": _http(settings)}
    return {
        "name": LISTENER,
        "address": _socket(settings.public),
        "enable_reuse_port": True,  # two processes share the port: the death of one costs no new request
        "per_connection_buffer_limit_bytes": 256 * 1024,
        "filter_chains": [{"filters": [manager]}],
    }


def _http(settings: Settings) -> Json:
    return {
        "@type": f"{TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": LISTENER,
        "codec_type": "AUTO",  # HTTP/1.1, and HTTP/2 without TLS for gRPC
        "rds": {"route_config_name": LISTENER, "config_source": _file(settings.folder, ROUTES)},
        "http_filters": [_buffer(), _router()],
        "local_reply_config": _own_answers(),
        # Callers are strangers, on this machine too: their x-envoy-* headers are removed.
        "use_remote_address": True,
        "internal_address_config": {"unix_sockets": False},
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        **_request_ids(),
        **_limits(),
    }


def _own_answers() -> Json:
    """What Envoy itself says: JSON; to a gRPC client, whose message it becomes, text."""
    grpc = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
    text = {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"}}
    return {
        "mappers": [{"filter": {"header_filter": {"header": grpc}}, "body_format_override": text}],
        "body_format": {"json_format": {"error": "%LOCAL_REPLY_BODY%", "status": "%RESPONSE_CODE%"}},
    }


def _request_ids() -> Json:
    return {
        "generate_request_id": True,
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "request_id_extension": {
            "typed_config": {
                "@type": f"{TYPES}.extensions.request_id.uuid.v3.UuidRequestIdConfig",
                "pack_trace_reason": False,  # would change a character of the caller's id
            }
        },
    }


def _limits() -> Json:
    return {
        "request_headers_timeout": HEADERS_WITHIN,
        "request_timeout": REQUEST_WITHIN,
        "stream_idle_timeout": REQUEST_WITHIN,
        "max_request_headers_kb": HEADERS_AT_MOST,
        "common_http_protocol_options": {"idle_timeout": IDLE_AT_MOST, "max_headers_count": 64},
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
        },
    }


def _buffer() -> Json:
    """Reads the whole body first: a retry needs it, and a body that is too large is refused."""
    config = {"@type": f"{TYPES}.extensions.filters.http.buffer.v3.Buffer", "max_request_bytes": BODY_AT_MOST}
    return {"name": "envoy.filters.http.buffer", "typed_config": config}


def _router() -> Json:
    config = {"@type": f"{TYPES}.extensions.filters.http.router.v3.Router"}
    return {"name": "envoy.filters.http.router", "typed_config": config}


# ---- towards the replicas ----


def clusters(settings: Settings) -> list[Json]:
    control = {
        "name": CONTROL,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": CONTROL, "endpoints": [_group([_endpoint(settings.control)])]},
    }
    return [_replicas(settings, REST, http2=False), _replicas(settings, GRPC, http2=True), control]


def _replicas(settings: Settings, name: str, *, http2: bool) -> Json:
    protocol: Json = {"http2_protocol_options": {}} if http2 else {"http_protocol_options": {}}
    return {
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"service_name": name, "eds_config": _file(settings.folder, f"{name}.json")},
        "connect_timeout": "1s",
        "load_balancing_policy": _least_busy(),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPES}.extensions.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": IDLE_UPSTREAM},
                "explicit_http_config": protocol,
            }
        },
        "common_lb_config": {
            "healthy_panic_threshold": {"value": 0}
        },  # never ask one that is known to be dead
        "ignore_health_on_host_removal": True,  # else a stopped replica is asked until a check fails
        "health_checks": [_health_check(settings.model)],
        "outlier_detection": _outliers(),
        # By default 3 retries at once, too few when a replica dies under load.
        "circuit_breakers": {"thresholds": [{"max_retries": 1024}]},
    }


def _least_busy() -> Json:
    """The replica with the fewest requests: one that hangs gets no more of them. By default Envoy compares two only."""
    config = {
        "@type": f"{TYPES}.extensions.load_balancing_policies.least_request.v3.LeastRequest",
        "selection_method": "FULL_SCAN",
    }
    policy = {"name": "envoy.load_balancing_policies.least_request", "typed_config": config}
    return {"policies": [{"typed_extension_config": policy}]}


def _health_check(model: str) -> Json:
    return {
        "http_health_check": {"path": f"/v2/models/{model}/ready"},
        "interval": "1s",
        "no_traffic_interval": "1s",  # by default 60 s: no answers in the minute after a start
        "timeout": "5s",  # an engine that computes a large request answers late, and is not dead
        "unhealthy_threshold": 3,
        "healthy_threshold": 1,
        "always_log_health_check_failures": False,
    }


def _outliers() -> Json:
    """Takes a replica that cannot be reached out at once; the next health check takes it in again."""
    return {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 1,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_local_origin_success_rate": 0,
        # A 500 of the model is the request's or the model's fault, not the replica's.
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "interval": "1s",
        "base_ejection_time": "3s",
        "max_ejection_time": "3s",
        "max_ejection_percent": 50,  # never all of them
    }


def _file(folder: Path, name: str) -> Json:
    """Where Envoy reads a resource; a file that is moved into the folder is read at once."""
    source = {"path": str(folder / name), "watched_directory": {"path": str(folder)}}
    return {"path_config_source": source, "resource_api_version": "V3"}


# ---- the files ----


def endpoints(replicas: Sequence[tuple[Address, Address]]) -> dict[str, Json]:
    """The files of endpoints by name: of each replica its address for REST, and the one for gRPC."""
    rest = [_endpoint(address) for address, _ in replicas]
    # A gRPC port has no page for health: the same process is asked at its other port.
    grpc = [_endpoint(there, health_check_config={"port_value": here.port}) for here, there in replicas]
    return {f"{name}.json": _assignment(name, found) for name, found in ((REST, rest), (GRPC, grpc))}


def _assignment(cluster: str, found: list[Json]) -> Json:
    one = {"cluster_name": cluster, "endpoints": [_group(found)]}
    return _resource("config.endpoint.v3.ClusterLoadAssignment", one)


def _group(found: list[Json]) -> Json:
    return {"lb_endpoints": [{"endpoint": one} for one in found]}


def _endpoint(address: Address, **more: Any) -> Json:
    return {"address": _socket(address), **more}


def _resource(kind: str, content: Json) -> Json:
    return {"resources": [{"@type": f"{TYPES}.{kind}", **content}]}


def route_file(virtual_host: Json) -> Json:
    """The file of routes."""
    return _resource(
        "config.route.v3.RouteConfiguration", {"name": LISTENER, "virtual_hosts": [virtual_host]}
    )
