"""Text of strangers stays text."""

import pytest
from mlops_kit.base.markdown import JOINER, code, number, plain, size, table

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</details><h1>open",
    "@everyone and @octo-cat",
    "fixes #12, GH-13, acme/flights#14",
    "[click](http://evil.example) ![x](http://evil.example/x.png)",
    "https://evil.example www.evil.example",
    "`a` | b || c \\| d",
    "line\nbreak\r\n# heading\u2028- list",
    "right \u202e to left \x1b[31m red \x00",
    "<!-- mlops-kit:report:flights -->",
    "**bold** _it_ ~~gone~~ $x^2$",
    "&lt;b&gt;",
    # What a renderer of CommonMark and GitHub's own extensions would understand beyond that.
    "<https://evil.example> <a@evil.example>",
    "[click][there]\n\n[there]: http://evil.example",
    "![x][there]\n\n[there]: http://evil.example/x.png",
    "[click](javascript:alert(1)) [click](<data:text/html,x>)",
    "<div onclick=alert(1)>\n\n*open*\n\n</div>",
    "<style>@import url(http://evil.example)</style><?x?><![CDATA[x]]>",
    "&#60;script&#62;alert(1)&#x3c;/script&#x3e; &amp;lt;b&amp;gt; &nbsp;",
    "a heading\n===\nanother\n---",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "```html\n<b>\n```",
    "    code\n\n> quote\n\n7. seven\n\n- [ ] task",
    "\\<b\\> \\`a\\` ***x*** __y__ a  \nhard\\\nbreak",
    "a footnote[^1]\n\n[^1]: http://evil.example",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_prose_holds_no_markup(text: str) -> None:
    said = plain(text)
    assert "<" not in said and ">" not in said
    for sign in "@#":
        assert f"{sign}{JOINER}" in said or sign not in said.replace(f"{sign} ", "")
    assert "://" not in said and "www." not in said
    assert all(said[at - 1] == "\\" for at, sign in enumerate(said) if sign in "*[]|~$`")
    assert said.isprintable() or JOINER in said
    assert not set(said) & set("\n\r\u2028\u202e\x1b\x00")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_cannot_leave_its_code_span(text: str) -> None:
    said = code(text)
    fence = said[: len(said) - len(said.lstrip("`"))]
    inside = said[len(fence) : -len(fence)]
    assert fence and said.endswith(fence)
    assert fence not in inside.replace("`" * (len(fence) + 1), "")
    assert not set(said) & set("\n\r\u2028\u202e\x1b\x00")


@pytest.mark.parametrize("backslashes", range(5))
def test_a_bar_never_ends_a_cell(backslashes: int) -> None:
    """An odd number of backslashes stands before it, as GitHub's parser wants."""
    row = table(["a"], [["\\" * backslashes + "|"]]).splitlines()[2]
    inside = row[2:-2]
    assert (len(inside) - 1) % 2 == 1 and inside.endswith("|")


def test_a_word_with_an_underscore_is_left_as_it_is() -> None:
    assert plain("Lower learning_rate to 0.1 (#12)") == f"Lower learning_rate to 0.1 (#{JOINER}12)"


def test_numbers_and_sizes() -> None:
    assert [number(x) for x in (0.71234, 12000, 12000.0, 0.00001234, True, 1)] == [
        *("0.7123", "12,000", "12,000", "1.234e-05", "True", "1")
    ]
    assert [size(x) for x in (None, 999, 1000, 153_016)] == ["unknown size", "999 B", "1.0 kB", "153.0 kB"]
