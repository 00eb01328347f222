"""The credentials of the kit itself: GitHub's token, Git's configuration that logs in with it, the webhook's address."""

import base64
import os

from mlops_kit.base import github_env

WEBHOOK = "MLOPS_WEBHOOK"  # a secret: whoever knows the address can post


def token() -> str | None:
    return github_env.token() or None


def access() -> dict[str, str]:
    """Git's configuration for one process that logs in with the GitHub token; empty without a token.

    It is passed as environment variables, never on a command line or in a file, so that no log shows it.
    """
    secret = token()
    if not secret:
        return {}
    count = int(os.environ.get("GIT_CONFIG_COUNT", "0") or 0)
    basic = base64.b64encode(f"x-access-token:{secret}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"http.{github_env.server_url()}/.extraheader",
        f"GIT_CONFIG_VALUE_{count}": f"AUTHORIZATION: basic {basic}",
        "GIT_TERMINAL_PROMPT": "0",
    }
