"""Markdown of another job is posted as text: no mention, link, image, HTML or reference of it acts."""

import pytest
from markdown_it import MarkdownIt
from mlops_kit.base.markdown import JOINER, code, plain, table
from mlops_kit.base.mermaid import PALETTE
from mlops_kit.base.sanitize import sanitize

HERE = "https://github.com/acme/flights/"
HOSTILE = [
    "@octo-org/everyone look",
    "a@octo.example",
    "[Log in](https://evil.example/login)",
    "![](https://evil.example/track.png)",
    "[![x](https://evil.example/a.png)](https://evil.example)",
    "<img src='https://evil.example/i.png'>",
    "<a href=https://evil.example>x</a>",
    "&lt;img src=x&gt; &#64;octo &#x40;octo",
    "\\<b\\>x\\</b\\> \\@octo",
    "www.evil.example and https://evil.example",
    "Fixes #1, fixes GH-2, fixes octo/x#3",
    "[@](x)octo and @**octo**",
    "[a]: https://evil.example\n\n[a]",
    "> [!CAUTION]\n> @octo",
    "<details><summary><img src=x></summary>\n\n@octo",
    "<!-- mlops-kit:alarm:data-drift -->\n@octo",
    '```mermaid\ngraph TD\n  A --> B\n  click A href "https://evil.example"\n```',
    f'```mermaid\n{PALETTE}\nxychart-beta\n  click A href "https://evil.example"\n```',
    "```\n```\n@octo",
    "| a |\n|---|\n| [x](https://evil.example) @octo ![](https://evil.example/i.png) |",
    "- [ ] @octo\n- [x](javascript:alert%281%29)",
    "<https://evil.example> <octo@evil.example>",
    "# @octo [x](//evil.example)",
    f'[x]({HERE}../../evil) [y]({HERE}x"onclick=) [z]({HERE[:-1]}.evil.example/)',
    "$`x`$ :tada: ~~x~~ [^1]\n\n[^1]: https://evil.example",
    "`@octo` ``` @octo",
]

CHART = f"""\
```mermaid
{PALETTE}
xychart-beta
  title "ROC curve"
  x-axis "false" 0 --> 1
  y-axis "true" 0 --> 1
  line [0, 0.5, 1]
```"""


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("into", ["", HERE])
def test_hostile_markdown_is_text(text: str, into: str) -> None:
    written = sanitize(text, into)
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(written)
    bare = _outside_of_code(html)
    for acts in ("<img", "<script", '<a href="http', '<a href="//', '<a href="java', "<!--", "<input", "<b>"):
        assert acts not in bare.replace(f'<a href="{HERE}', ""), written
    for sign in ("@o", "#1", "#3", "GH-2", "www.e", "https://evil"):
        assert sign not in bare, written
    assert "click" not in written or "```mermaid" not in written
    assert sanitize(written, into) == written  # what is safe stays as it is


def _outside_of_code(html: str) -> str:
    import re

    return re.sub(r"(?s)<(code|pre)[^>]*>.*?</\1>", "", html)


def test_what_the_kit_writes_stays_as_it_is() -> None:
    page = "\n\n".join(
        [
            f"## ✅ {plain('flights')}: all gates pass; better than v0.1.0",
            f"**{plain('Trained on the data (main)')}**",
            "### Gates",
            table(
                ["gate", "value", "why"],
                [[code("a|b"), "0.71", plain("auc 0.71 >= 0.70 of <x> @ada #1")]],
                (1,),
            ),
            f"- {code('train.csv')}: 320 → 720 rows; columns that moved most:\n  - {code('bill')}: mean 54.5 → 64.8",
            f"<details><summary>{plain('ROC <curve> of @ada')}</summary>",
            CHART,
            "</details>",
            "Worst of 3 by `loss`; 2 more have too few rows to judge.",
            f"_{plain('a note: origin does not answer')}_",
            f"[The run and its logs]({HERE}actions/runs/7)",
        ]
    )
    assert sanitize(page + "\n", HERE) == page + "\n"


def test_no_link_leads_elsewhere() -> None:
    assert sanitize("[run](https://evil.example/actions)", HERE) == "run\n"
    assert sanitize(f"[run]({HERE}actions/runs/7)", "") == "run\n"


def test_details_are_closed() -> None:
    assert sanitize("</details>\n\na\n\n<details><summary>b</summary>\n\nc") == (
        "a\n\n<details><summary>b</summary>\n\nc\n\n</details>\n"
    )


def test_neighbours_are_escaped_as_one() -> None:
    assert f"@{JOINER}octo" in sanitize("[@](x)octo")
