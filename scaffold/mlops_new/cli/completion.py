"""What a shell completes: commands, and the tiers and tools of the project that one is in."""

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from mlops_new.cli.words import COMMANDS

VARIABLE = "_MLOPS_NEW_COMPLETE"  # by which Click tells a call for completions


def commands_or_folders(
    _context: click.Context, _word: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The commands that begin so; if there are none, folders."""
    found = [CompletionItem(name) for name in COMMANDS if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="dir")]


def tools(context: click.Context, word: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """TIER=TOOL for `add`, `switch` and `--with`; the tiers that are on for `remove`.

    bash splits words at `=` and completes what comes after it, so there the answer is the tool alone.
    """
    from mlops_new.base.errors import MlopsNewError
    from mlops_new.grow import grow

    try:
        offer = grow.read_offer(Path(context.params.get("directory") or ".").resolve())
    except MlopsNewError:
        return []
    on, name = offer.tools, context.info_name
    if name == "remove":
        return [CompletionItem(layer) for layer in on if layer.startswith(incomplete)]
    wanted = {"add": set(offer.layers) - set(on), "switch": set(on)}.get(str(name), set(offer.layers))
    items = [
        CompletionItem(tool.words, help=tool.says)
        for layer, ones in offer.layers.items()
        for tool in ones
        if layer in wanted and on.get(layer) != tool.name
    ]
    before = _before(context, word)
    layer = before[-2] if before[-1:] == ["="] else ""
    if before and not incomplete and os.environ.get("COMP_WORDS", "").rstrip().endswith("="):
        layer = before[-1]  # Click takes a lone `=` for an empty word
    if layer:
        start = f"{layer}={incomplete}"
        return [CompletionItem(one.value.partition("=")[2]) for one in items if one.value.startswith(start)]
    return [one for one in items if one.value.startswith(incomplete)]


def _before(context: click.Context, word: click.Parameter) -> list[str]:
    """The words of this argument or option that stand before the incomplete one."""
    given = context.params.get(str(word.name)) or ()
    extra = context.args  # behind an option, bash's `=` is a word of its own
    return [*map(str, given), *map(str, extra)]
