"""Runs a training as it is, and writes the figures that it prints into a file.

python mlops_run.py [--metrics metrics.json] [--executed NOTEBOOK] [--in FOLDER] -- COMMAND...

Figures are what stands behind a known word: `accuracy: 0.93`, `Test RMSE = 2.1`, `F1 87 %`. The last one
counts. Of an executed notebook, cells that end in a score count too, and what a clock wrote into it is
taken out, so that the same run gives the same file. Where nothing is printed the metrics are empty.
"""

import argparse
import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

KNOWN = (
    r"accuracy|auc|roc_auc|f1|precision|recall|rmse|mse|mae|mape|r2|r\^2|log_?loss|loss|error|score|kappa|mcc"
    r"|gini|iou|bleu|perplexity"
)
FIGURE = re.compile(
    rf"((?:[A-Za-z]+[ _-]){{0,2}}(?:{KNOWN})(?:[ _](?:score|error))?)\b[\"']?\s*(?:\([^)]*\))?\s*"
    r"(?:[:=,]|is|of|->)?\s*(?:np\.float64\()?(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s*(%?)",
    re.IGNORECASE,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path)
    parser.add_argument("--executed", type=Path)
    parser.add_argument("--in", dest="folder", type=Path, help="where the command runs")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    with subprocess.Popen(
        arguments.command,
        cwd=arguments.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            figures |= figures_of(line)
    if process.returncode == 0:
        if arguments.executed:
            figures |= figures_of_cells(without_clock(arguments.executed))
        if arguments.metrics:
            arguments.metrics.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return process.returncode


def figures_of(line: str) -> dict[str, float]:
    """By name; a percentage as a share."""
    found = {}
    for name, number, percent in FIGURE.findall(line):
        found[key(name)] = float(number) / 100 if percent else float(number)
    return found


def key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def without_clock(file: Path) -> dict[str, Any]:
    """The executed notebook, written again without times and with cells numbered instead of named by chance."""
    book: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    book["metadata"].pop("papermill", None)
    for number, cell in enumerate(book["cells"]):
        for noted in ("papermill", "execution"):
            cell["metadata"].pop(noted, None)
        if "id" in cell:
            cell["id"] = f"cell-{number}"
    file.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    return book


def figures_of_cells(book: dict[str, Any]) -> dict[str, float]:
    """Of cells whose last line is a score, as `accuracy_score(y, predicted)` is, and that show its number."""
    found = {}
    for cell in book["cells"]:
        for output in cell.get("outputs", []):
            if output.get("output_type") == "execute_result":
                shown = re.search(r"-?\d+\.\d+(?:e[-+]?\d+)?", "".join(output["data"].get("text/plain", "")))
                if shown and (name := scored("".join(cell["source"]))):
                    found[key(name)] = float(shown[0])
    return found


def scored(code: str) -> str:
    """The known word that the last expression is called by; empty where there is none."""
    try:
        last = ast.parse(code).body[-1]
    except (SyntaxError, IndexError):
        return ""
    value = last.value if isinstance(last, ast.Expr) else None
    function = value.func if isinstance(value, ast.Call) else value
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name if re.search(KNOWN, name) else ""


if __name__ == "__main__":
    sys.exit(main())
