"""A page as a person sees it: with the scripts of its server run, by a browser without a screen."""

import shutil
import tempfile
from pathlib import Path

from tests.conftest import must

NAMES = ("chromium", "chromium-browser", "google-chrome")  # Debian's, Ubuntu's, Google's
TRIES = 5
WAIT = 20_000  # milliseconds of the page's own clock


def browsed(url: str, *words: str) -> str:
    """The page's HTML once all the words stand in it."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    assert browser, f"none of {', '.join(NAMES)} is installed"
    page = ""
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as folder:
            flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}"]
            wait = [f"--virtual-time-budget={WAIT}", "--timeout=60000", "--dump-dom"]
            page = must([browser, *flags, *wait, url], Path(folder))
        if all(word in page for word in words):
            return page
    missing = [word for word in words if word not in page]
    raise AssertionError(f"{url} does not show {missing}:\n{page[-5000:]}")
