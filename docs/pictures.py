"""Takes the screenshots under docs/pictures from a demonstration repository: `python docs/pictures.py`.

It follows the tutorial up to the report of the branch, and `mlops-kit monitor demo` for the review. It needs Chromium,
and takes about three minutes. The pull-request comment is drawn as Markdown by markdown-it with GitHub's widths and colours;
GitHub itself draws its charts too.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs/pictures"
WEEK = "2013-W35"  # of the demonstration, with predictions, labels and alarms
SIZE = (1000, 900)  # pixels of a picture: the first screen of a page
STYLE = """
body { font: 14px/1.5 -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; color: #1f2328; margin: 24px; }
.comment { border: 1px solid #d0d7de; border-radius: 6px; max-width: 900px; }
.comment > header { background: #f6f8fa; border-bottom: 1px solid #d0d7de; padding: 8px 16px; color: #59636e; }
.comment > div { padding: 0 16px 16px; }
table { border-collapse: collapse; } th, td { border: 1px solid #d0d7de; padding: 6px 13px; }
tr:nth-child(even) { background: #f6f8fa; } code { background: #eff1f3; border-radius: 6px; padding: 2px 5px; }
h2 { border-bottom: 1px solid #d1d9e0; padding-bottom: 6px; }
"""


def main() -> None:
    sys.path.insert(0, str(ROOT))
    from tests import pages

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page = (ROOT / "docs/tutorial.md").read_text("utf-8")
        begin = folder / "tutorial.md"
        begin.write_text(page[: page.index("Commit and push.")], "utf-8")
        run(["sh", "-c", pages.script(begin)], folder)
        results = folder / "flights/.mlops/report"
        photograph(results / "report.html", "report.png")
        comment = folder / "comment.html"
        comment.write_text(as_comment((results / "report.md").read_text("utf-8")), "utf-8")
        photograph(comment, "comment.png")
        run(["mlops-kit", "monitor", "demo", "--keep", folder / "demo"], folder)
        run(["mlops-kit", "review", "--week", WEEK], next((folder / "demo").rglob("mlops.yaml")).parent)
        photograph(next((folder / "demo").rglob("review.html")), "review.png")


def run(command: list[str | Path], cwd: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([*map(str, command)], cwd=cwd, env=os.environ | {"PATH": path}, check=True)


def as_comment(markdown: str) -> str:
    """The page of a comment. Its folded parts stay folded, and a check mark that every font has replaces the emoji."""
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown.replace("✅", "✔"))
    return (
        f'<meta charset="utf-8"><style>{STYLE}</style><div class="comment">'
        f"<header><b>github-actions</b> bot commented</header><div>{body}</div></div>"
    )


def photograph(page: Path, name: str) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("Chromium is not installed. As root: apt-get install chromium")
    size = ",".join(map(str, SIZE))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={size}"]
    run([browser, *options, f"--screenshot={PICTURES / name}", page.as_uri()], PICTURES)


if __name__ == "__main__":
    main()
