"""Text and numbers that are safe inside a Mermaid diagram, and the colours of its charts."""

import re

# Mermaid's own first colour can hardly be seen on white; these can, on white and on black.
PALETTE = """%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#2f81f7, #8b949e"}}}}%%"""


def plain_number(value: float) -> str:
    """Mermaid does not read exponents."""
    return f"{value:.5f}".rstrip("0").rstrip(".") if abs(value) < 1e4 else f"{value:.0f}"


def safe(text: str) -> str:
    """Mermaid has no escape: what is not a letter, digit or one of a few signs is left out."""
    return re.sub(r"[^\w .,()-]+", " ", text).strip()[:40] or "?"
