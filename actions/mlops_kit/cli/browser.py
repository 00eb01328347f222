"""Show a page to the person at this machine."""

import webbrowser
from pathlib import Path

from mlops_kit.cli.output import tell


def show(page: Path) -> None:
    """Open the page in the default browser. Without a browser, say so: the page's path is printed anyway."""
    if not webbrowser.open(page.resolve().as_uri()):
        tell(f"No browser could be opened here. Open {page} yourself.")
