"""Writes the reference pages from the code: `python docs/generate.py`; with --check it only says what differs."""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pydantic
import yaml

# The text under a field describes it, on these pages alone: to read it takes every command of the kit 40 ms.
pydantic.BaseModel.model_config["use_attribute_docstrings"] = True

from mlops_kit.cli import main as mains  # its models are made as they are imported
from mlops_kit.data import metrics
from mlops_kit.project.contract import Contract
from mlops_kit.versions.record import Record

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
ACTIONS = ROOT / "actions"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"

CONTRACT = """\
The contract of a repository with `mlops-kit`: names, commands and results. Files in `mlops.d/*.yaml` add to it and may
not change what it says. Editors check it against [mlops.schema.json](mlops.schema.json)."""
COMMANDS = """\
Install it once: `uv tool install 'mlops-new[kit]'`. It works in any repository with DVC and an
[mlops.yaml](mlops.yaml.md); each command does on a laptop what it does in CI."""
EMPTY = '""'
# Actions that run no command of the kit, and what a workflow has before them.
COMES_AFTER = {
    "setup": "Comes after the checkout, before the other actions.",
    "environment": "Comes after the checkout. If the job also uses [setup](../setup/README.md), that comes first.",
    "login": """\
Each role belongs to the cloud that its form names, so one step serves all clouds. A variable that is not set leaves its cloud out:

    - name: Log in to the cloud
      uses: mlops-new/mlops-new/actions/login@COMMIT # VERSION
      with:
        role-to-assume: ${{ vars.AWS_ROLE }} ${{ vars.GOOGLE_SERVICE_ACCOUNT }} ${{ vars.AZURE_CLIENT_ID }}
        provider: ${{ vars.AWS_REGION }} ${{ vars.GOOGLE_IDENTITY_PROVIDER }} ${{ vars.AZURE_TENANT_ID }}

AWS and Google Cloud use the actions of their makers. Azure uses `az`, which GitHub's runners have; a runner of your own needs it
installed. DVC then finds the login by itself. The login to Azure lasts an hour.""",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page is behind")
    check = parser.parse_args().check
    behind = [path for path, text in pages() if not path.is_file() or path.read_text("utf-8") != text]
    for path, text in pages():
        if path in behind and not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    print(*(path.relative_to(ROOT) for path in behind), sep="\n")
    return 1 if check and behind else 0


def pages() -> Iterator[tuple[Path, str]]:
    for model, name in ((Contract, "mlops"), (Record, "record")):
        schema = schema_of(model)
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        yield REFERENCE / f"{name}.schema.json", json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    yield REFERENCE / "mlops.yaml.md", contract_page()
    yield REFERENCE / "mlops-kit.md", commands_page()
    for path in sorted(ACTIONS.glob("*/action.yml")):
        yield path.with_name("README.md"), action_page(path)
    yield CONTRIBUTING, contributing(CONTRIBUTING.read_text(encoding="utf-8"))


# ---- CONTRIBUTING ----


def contributing(page: str) -> str:
    """The page with a map of each package's floors, from the contracts of import-linter and the comments beside them."""
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package in ("mlops_kit", "mlops_new"):
        before, begin, rest = page.partition(f"<!-- rooms of {package} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        page = f"{before}{begin}\n{_map(settings, package)}\n\n{end}{after}"
    return page


def _map(settings: str, package: str) -> str:
    """Markdown: a row for each room, the highest floor first."""
    (listed,) = re.findall(
        rf'^containers = \["{package}"\]\nlayers = \[\n(.*?)^\]', settings, re.DOTALL | re.MULTILINE
    )
    floors = re.findall(r'^  "([^"]+)",  # (.+)$', listed, re.MULTILINE)
    rows = []
    for floor, (rooms, purposes) in zip(range(len(floors), 0, -1), floors, strict=True):
        purpose = dict(one.split(": ", 1) for one in purposes.split("; "))
        rows += [[str(floor), f"`{room}/`", purpose[room]] for room in rooms.split(" | ")]
    return _table(["floor", "room", "what it does"], rows)


def schema_of(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    """The JSON schema; `{metrics}` in a description stands for the metrics of `data/metrics.py`."""
    text = json.dumps(model.model_json_schema(by_alias=True))
    schema: dict[str, Any] = json.loads(text.replace("{metrics}", ", ".join(metrics.computed())))
    return schema


# ---- mlops.yaml ----


def contract_page() -> str:
    schema = schema_of(Contract)
    definitions = schema["$defs"]
    parts = [
        "# mlops.yaml",
        CONTRACT,
        *_keys(schema),
    ]
    shown = [name for name in definitions if name != "Contract"]
    for name in shown:
        if "properties" in definitions[name]:
            parts += [f"## {_title(name)}", *_keys(definitions[name])]
    return "\n\n".join(parts) + "\n"


def _title(name: str) -> str:
    kind = name.removesuffix("Gate")
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()
    return f"Gate: {words}" if name.endswith("Gate") else words.capitalize()


def _keys(schema: dict[str, Any]) -> list[str]:
    rows = ["| key | type | default | |", "|---|---|---|---|"]
    needed = schema.get("required", [])
    for name, value in schema["properties"].items():
        default = "required" if name in needed else _default(value.get("default"))
        description = value.get("description", "").replace("\n", " ").replace("|", "\\|")
        rows.append(f"| `{name}` | {_type(value)} | {default} | {description} |")
    described = [schema["description"].replace("\n", " ")] if "description" in schema else []
    return [*described, "\n".join(rows)]


def _default(value: Any) -> str:
    return "" if value in (None, "", [], {}) or isinstance(value, dict) else f"`{json.dumps(value)}`"


def _type(value: dict[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{_title(name)}](#{_title(name).lower().replace(': ', '-').replace(' ', '-')})"
    if "enum" in value or "const" in value:
        return " or ".join(f"`{word}`" for word in value.get("enum", [value.get("const")]))
    for several in ("anyOf", "oneOf"):
        if several in value:
            return ", ".join(_type(one) for one in value[several] if one.get("type") != "null")
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"by name: {_type(inner)}" if isinstance(inner, dict) else "mapping"
    return str(value.get("type", "any"))


# ---- mlops-kit ----


def commands_page() -> str:
    context = click.Context(mains.group, info_name="mlops-kit")
    parts = [
        "# mlops-kit",
        COMMANDS,
        _help(mains.group, context),
    ]
    for name in mains.group.list_commands(context):
        command = mains.group.get_command(context, name)
        assert command
        inside = click.Context(command, parent=context, info_name=name)
        parts += [f"## {name}", _help(command, inside)]
        for part, one in command.commands.items() if isinstance(command, click.Group) else ():
            parts += [f"### {name} {part}", _help(one, click.Context(one, parent=inside, info_name=part))]
    return "\n\n".join(parts) + "\n"


def _help(command: click.Command, context: click.Context) -> str:
    context.terminal_width = context.max_content_width = 100
    lines = (line.rstrip() for line in command.get_help(context).splitlines())
    return "```text\n" + "\n".join(lines) + "\n```"


# ---- actions ----


def action_page(path: Path) -> str:
    """Every key and value of `action.yml` as text: YAML 1.1 would read the output `on` as a boolean."""
    action = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    name = path.parent.name
    parts = [
        f"# {name}",
        action["description"],
        "Inputs",
        _table(["input", "default", ""], _inputs(action["inputs"])),
        "Outputs",
        _table(["output", ""], [[f"`{key}`", one["description"]] for key, one in action["outputs"].items()]),
    ]
    if name in COMES_AFTER:
        parts.append(COMES_AFTER[name])
    else:
        parts.append(
            f"Runs `mlops-kit {name}`, on a laptop the same; `mlops-kit {name} --help` says more. "
            "Comes after [setup](../setup/README.md)."
        )
    return "\n\n".join(parts) + "\n"


def _inputs(inputs: dict[str, dict[str, str]]) -> list[list[str]]:
    return [[f"`{key}`", _default_of_input(one), one["description"]] for key, one in inputs.items()]


def _default_of_input(one: dict[str, str]) -> str:
    """In words if a caller has to set the input; an empty text as `""`."""
    if one.get("required") == "true":
        return "required"
    return f"`{one['default'] or EMPTY}`" if "default" in one else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.strip().replace("\n", " ").replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
