"""Stages as aliases. One that somebody moved in MLflow's own page is named, and left as it is.

The registered model keeps, as a tag, where each alias was put by the last sync: an alias that stands elsewhere
was moved by a person.
"""

from collections.abc import Iterator

from mirror import NAME, Mirror

OF_STAGES = {"production": "champion", "staging": "challenger"}  # another stage: its own name
TAG = "mlops.alias."  # where the last sync put the alias
NONE = "-"  # while it moves: from or to no version


def follow(mirror: Mirror) -> Iterator[str]:
    """Moves each alias to the version in its stage, and yields what differs."""
    model = mirror.client.get_registered_model(mirror.history.model)
    put = {name: tag.split() for name, tag in model.tags.items() if name.startswith(TAG) and tag}
    held = {_alias(stage): (stage, version) for stage, version in mirror.history.stages.items()}
    for alias in sorted(held.keys() | {name.removeprefix(TAG) for name in put}):
        stage, version = held.get(alias, (alias, ""))
        now, before = str(model.aliases.get(alias, "")), put.get(TAG + alias, [""])
        wish = str(mirror.versions[version].version) if version in mirror.versions else ""
        if version in mirror.elsewhere:
            continue  # the sync that writes it moves the alias too
        if version and not wish:
            yield f"{stage} is {version}, which MLflow does not have"
        elif now != wish and _is_a_persons(mirror, now, before):
            says = f"{stage} is {version or 'empty'} by the tags"
            yield f"{alias} is {_named(mirror, now)} in MLflow, and {says}"
        elif now != wish or before != [wish]:
            _move(mirror, alias, now, wish)


def _is_a_persons(mirror: Mirror, now: str, before: list[str]) -> bool:
    """Not where the alias went with a version that was deleted: then nobody moved it."""
    there = {str(one.version) for one in mirror.versions.values()}
    return (now or NONE) not in before and (now != "" or not there.isdisjoint(before))


def _move(mirror: Mirror, alias: str, now: str, wish: str) -> None:
    """In three steps, so that one that is cut short between them, or watched, is not taken for a person's."""
    model, client = mirror.history.model, mirror.client
    if now != wish:
        client.set_registered_model_tag(model, TAG + alias, f"{now or NONE} {wish or NONE}")
        if wish:
            client.set_registered_model_alias(model, alias, wish)
        else:
            client.delete_registered_model_alias(model, alias)
    client.set_registered_model_tag(model, TAG + alias, wish)


def _named(mirror: Mirror, number: str) -> str:
    for one in mirror.versions.values():
        if str(one.version) == number:
            return str(one.tags[NAME])
    return f"its version {number}" if number else "taken away"


def _alias(stage: str) -> str:
    return OF_STAGES.get(stage, stage.replace("/", "-"))
