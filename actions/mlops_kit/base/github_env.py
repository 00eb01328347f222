"""The variables that a GitHub runner sets. No other module of the kit reads or spells them.

They are read in `base`, not in `forge`, because Git's login (`base/credentials.py`) needs the token and `project`
does not import `forge`. Each function returns an empty text where its variable is not set.
"""

import os

# Messages tell people to set these.
TOKEN, GH_TOKEN = "GITHUB_TOKEN", "GH_TOKEN"
API_URL, REPOSITORY = "GITHUB_API_URL", "GITHUB_REPOSITORY"
SIGNING_KEY = "MLOPS_SIGNING_KEY"  # the private key that signs versions, in PEM
# Commands of the project do not get these. With the files they would set variables, the PATH, outputs or the summary of
# later steps. The names that start with ACTIONS_ hold the tokens of the job, and the addresses that take them.
FILES = tuple(f"GITHUB_{name}" for name in ("ENV", "PATH", "OUTPUT", "STATE", "STEP_SUMMARY"))
SECRETS = (TOKEN, GH_TOKEN, "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN", SIGNING_KEY)
OF_THE_JOB = "ACTIONS_"
IDENTITY = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
EXPORT_TOKEN = f"export {TOKEN}=$(gh auth token)"

GITHUB = "https://github.com"
API = "https://api.github.com"


def is_private(variable: str) -> bool:
    """True if commands of the project must not get this variable."""
    return variable in FILES or variable in SECRETS or variable.startswith(OF_THE_JOB)


def identity() -> dict[str, str]:
    """The variables by which a job proves who it is to others; empty without `id-token: write`."""
    variables = {name: os.environ.get(name, "") for name in IDENTITY}
    return variables if all(variables.values()) else {}


def on_runner() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def token() -> str:
    return os.environ.get(TOKEN) or os.environ.get(GH_TOKEN, "")


def api_url() -> str:
    """The address of the API: GitHub's own unless a runner of another server names its own."""
    return os.environ.get(API_URL) or API


def server_url() -> str:
    """The address of the web pages, without a slash at its end."""
    return (os.environ.get("GITHUB_SERVER_URL") or GITHUB).rstrip("/")


def repository() -> str:
    """OWNER/NAME."""
    return os.environ.get(REPOSITORY, "")


def run_id() -> str:
    return os.environ.get("GITHUB_RUN_ID", "")


def run_attempt() -> str:
    """1 for the first attempt; "Re-run jobs" keeps the run's id and counts on."""
    return os.environ.get("GITHUB_RUN_ATTEMPT") or "1"


def run_number() -> str:
    """Which run of its workflow this is."""
    return os.environ.get("GITHUB_RUN_NUMBER", "")


def workflow() -> str:
    """The workflow's name, or its path where it has no name."""
    return os.environ.get("GITHUB_WORKFLOW", "")


def workflow_ref() -> str:
    """The workflow's file and ref: OWNER/NAME/.github/workflows/FILE@refs/heads/main."""
    return os.environ.get("GITHUB_WORKFLOW_REF", "")


def actor() -> str:
    """The login of the person or app that started the run."""
    return os.environ.get("GITHUB_ACTOR", "")


def ref() -> str:
    """The full ref of the run, for instance refs/heads/main or refs/pull/12/merge."""
    return os.environ.get("GITHUB_REF", "")


def base_branch() -> str:
    """The branch that a pull request goes to."""
    return os.environ.get("GITHUB_BASE_REF", "")


def event_name() -> str:
    """push, pull_request, schedule, workflow_dispatch, ..."""
    return os.environ.get("GITHUB_EVENT_NAME", "")


def event_file() -> str:
    """The path of the event's payload, as JSON."""
    return os.environ.get("GITHUB_EVENT_PATH", "")


def output_file() -> str:
    """The path of the file that takes the step's outputs."""
    return os.environ.get("GITHUB_OUTPUT", "")


def summary_file() -> str:
    """The path of the file that takes the step's summary."""
    return os.environ.get("GITHUB_STEP_SUMMARY", "")
