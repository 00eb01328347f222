"""A workflow of one job, for tests of the harness."""

from collections.abc import Mapping

from tests.act.forge import Forge

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
DOWNLOAD = "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131"


def small(forge: Forge, steps: str, more: Mapping[str, str] | None = None) -> None:
    """One job `a` with these steps, in small.yml."""
    job = "jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
    indented = "".join(f"      {line}\n" for line in steps.strip().splitlines())
    text = f"name: small\non: {{push: , pull_request: , repository_dispatch: , workflow_dispatch: {{inputs: {{reason: {{default: none}}}}}}}}\n{job}{indented}"
    forge.merge("Small", {".github/workflows/small.yml": text, **(more or {})})
