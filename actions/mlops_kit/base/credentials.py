"""The GitHub token of the environment, and Git's configuration that logs in with it."""

import base64
import os


def token() -> str | None:
    return os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or None


def access() -> dict[str, str]:
    """Git's configuration for one process that logs in with GITHUB_TOKEN, where there is one.

    It stands in the environment, never in a command line or a file, so that no log shows it.
    """
    given = token()
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    if not given:
        return {}
    count = int(os.environ.get("GIT_CONFIG_COUNT", "0") or 0)
    basic = base64.b64encode(f"x-access-token:{given}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"http.{server}/.extraheader",
        f"GIT_CONFIG_VALUE_{count}": f"AUTHORIZATION: basic {basic}",
        "GIT_TERMINAL_PROMPT": "0",
    }
