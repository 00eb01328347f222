"""Markdown of another job, written again so that it shows what it says and does nothing else.

The text is parsed by markdown-it-py with the few rules that the kit's own pages need, and each part is escaped as if
the kit had it as a fact. A link stays only if it leads into the repository; images, HTML and mentions become text.
"""

import re
from typing import TYPE_CHECKING

from mlops_kit.base import markdown
from mlops_kit.base.markdown import JOINER, code, plain
from mlops_kit.base.mermaid import PALETTE

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

RULES = (
    *("heading", "list", "table", "fence", "backticks", "emphasis", "escape", "entity", "link"),
    "newline",
)
LONGEST = 200_000  # characters that are read
MARKS = {"strong": "**", "em": "_"}
SUMMARY = re.compile(r"<details><summary>(.*)</summary>", re.DOTALL)
END = "</details>"
CHART = re.compile(
    r"[ ]*(xychart-beta( horizontal)?|(title|x-axis|y-axis|bar|line) [^<>`%]*(0|[-\d.e+]+ --> [-\d.e+]+)?[^<>`%]*)"
)
ADDRESS = re.compile(r"[A-Za-z0-9:/._#?=&%@+~-]+")
START = re.compile(r"^(\d{1,9}(?=[.)])|[-+=>#~:])")  # what begins a list, a quotation, a heading or a fence


def sanitize(text: str, into: str = "") -> str:
    """The text without anything that acts. `into`: what the address of a link must begin with; empty: none stays."""
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    tokens = MarkdownIt("zero").enable(list(RULES)).parse(text[:LONGEST].replace(JOINER, ""))
    blocks = [_block(node, into) for node in SyntaxTreeNode(tokens).children]
    return _closed([block for block in blocks if block.strip()]) + "\n"


def _closed(blocks: list[str]) -> str:
    """With an end for each `<details>`, and none that ends nothing."""
    written, is_open = [], False
    for block in blocks:
        is_start, is_end = block.startswith("<details>"), block == END
        if is_end and not is_open:
            continue
        if is_start and is_open:
            written.append(END)
        is_open = is_start or (is_open and not is_end)
        written.append(block)
    return "\n\n".join([*written, END] if is_open else written)


def _block(node: "SyntaxTreeNode", into: str) -> str:
    if node.type == "heading":
        return f"{node.markup} {_inline(node, into)}"
    if node.type in ("bullet_list", "ordered_list"):
        return "\n".join(_item(one, into) for one in node.children)
    if node.type == "fence":
        return _fence(node)
    if node.type == "table":
        return _table(node, into)
    return _paragraph(node, into)


def _paragraph(node: "SyntaxTreeNode", into: str) -> str:
    raw = node.children[0].content.strip() if node.children else node.content.strip()
    if raw == END:
        return END
    if title := SUMMARY.fullmatch(raw):
        return f"<details><summary>{plain(_unescaped(title[1]))}</summary>"
    lines = _inline(node, into).split("\n")
    return "\n".join(_not_a_block(line) for line in lines)


def _unescaped(text: str) -> str:
    """Plain text of a line of Markdown, for a place where no markup is."""
    from html import unescape

    return unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text))


def _not_a_block(line: str) -> str:
    line = line.lstrip()
    return START.sub(lambda match: f"{match[1]}\\" if match[1].isdigit() else f"\\{match[1]}", line)


def _item(node: "SyntaxTreeNode", into: str) -> str:
    parts = [_block(one, into) for one in node.children]
    return "- " + "\n".join(part for part in parts if part).replace("\n", "\n  ")


def _fence(node: "SyntaxTreeNode") -> str:
    content = "\n".join(
        re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", line) for line in node.content.rstrip().split("\n")
    )
    marks = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", content)), default=0))
    info = "mermaid" if node.info.strip() == "mermaid" and _is_chart(content) else ""
    return f"{marks}{info}\n{content}\n{marks}"


def _is_chart(content: str) -> bool:
    """True for a chart as the kit draws it: no other diagram, which could link or style."""
    first, _, rest = content.partition("\n")
    return first == PALETTE and all(CHART.fullmatch(line) for line in rest.split("\n"))


def _table(node: "SyntaxTreeNode", into: str) -> str:
    rows = [row for part in node.children for row in part.children]
    cells = [[_inline(cell, into).replace("\n", " ") for cell in row.children] for row in rows]
    styles = [str(cell.attrs.get("style", "")) for cell in rows[0].children]
    right = [place for place, style in enumerate(styles) if "right" in style]
    return markdown.table(cells[0], cells[1:], right)


def _inline(node: "SyntaxTreeNode", into: str) -> str:
    return "".join(_pieces(node, into)).strip()


def _pieces(node: "SyntaxTreeNode", into: str) -> list[str]:
    """The written parts of a line. Neighbouring texts are escaped as one, since a mention may lie across them."""
    written: list[str] = []
    text = ""
    for kind, content in _parts(node, into):
        if kind == "text":
            text += content
            continue
        written += [_text(text), content]
        text = ""
    return [*written, _text(text)]


def _parts(node: "SyntaxTreeNode", into: str) -> list[tuple[str, str]]:
    """Pairs of "text" and unescaped text, or "markup" and Markdown."""
    parts: list[tuple[str, str]] = []
    for one in node.children:
        if one.type == "inline":
            parts += _parts(one, into)
        elif one.type == "code_inline":
            parts.append(("markup", code(one.content, LONGEST)))
        elif one.type in ("softbreak", "hardbreak"):
            parts.append(("markup", "\n"))
        elif one.type in MARKS:
            mark = ("markup", MARKS[one.type])
            parts += [mark, *_parts(one, into), mark]
        elif one.type == "link":
            parts += _link(one, into)
        else:
            parts.append(("text", one.content))
    return parts


def _link(node: "SyntaxTreeNode", into: str) -> list[tuple[str, str]]:
    address = str(node.attrs.get("href", ""))
    if into and address.startswith(into) and ADDRESS.fullmatch(address):
        return [("markup", "["), *_parts(node, into), ("markup", f"]({address})")]
    return _parts(node, into)


def _text(text: str) -> str:
    shown = plain(text, LONGEST)
    if not shown:
        return " " if text else ""
    return " " * text[:1].isspace() + shown + " " * text[-1:].isspace()
