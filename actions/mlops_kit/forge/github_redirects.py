"""A repository that was renamed: GitHub answers 301 or 307, and the same request goes to the new address.

PyGithub itself follows 301 alone, turns nothing else into words, and loses what follows `?`.
"""

from typing import Any
from urllib.parse import urlsplit

from mlops_kit.forge import github_size

HOPS = 3
MOVED = (301, 307, 308)


def follow() -> None:
    """Let PyGithub's connections follow redirects on the same host, with the same verb and body, and read no more than allowed."""
    from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass

    for connection in (HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass):
        if not hasattr(connection, "asks_once"):
            vars_of: Any = connection
            vars_of.asks_once = connection.getresponse
            vars_of.getresponse = _getresponse


def _getresponse(connection: Any) -> Any:
    github_size.limit(connection.session)
    response = connection.asks_once()
    for _ in range(HOPS):
        target = _target(connection, response)
        if not target:
            break
        connection.url = target
        response = connection.asks_once()
    return response


def _target(connection: Any, response: Any) -> str:
    """Path and query of a redirect on the same host; empty for another answer, and for another host."""
    address = urlsplit(str(response.headers.get("Location") or ""))
    if response.status not in MOVED or not address.path:
        return ""
    default = 443 if connection.protocol == "https" else 80
    here = (connection.protocol, connection.host, connection.port)
    if address.netloc and (address.scheme, address.hostname, address.port or default) != here:
        return ""
    return f"{address.path}?{address.query}" if address.query else address.path
