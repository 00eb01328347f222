"""mlops-kit review."""

from pathlib import Path

import click

from mlops_kit.cli.options import excludes, json_option
from mlops_kit.cli.output import finish, reporter, tell
from mlops_kit.cli.workspace import monitors


@click.command()
@click.option("--week", metavar="2026-W47", help="ISO week.  [default: the last whole week]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for both files.  [default: .mlops/review at the root]",
)
@click.option("--publish", is_flag=True, help="Update the issue `Weekly review` too, once for each week.")
@click.option(
    "--from",
    "made",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Publish the review that an earlier call wrote into this folder, and nothing else.",
)
@click.option("--label", "labels", multiple=True, help="Label for the issue; repeat it for more.")
@click.option("--open", "show", is_flag=True, help="Show the page in the browser.")
@json_option
@excludes("--from", "--week", "--out", "--publish", "--open")
def command(
    week: str | None,
    out: Path | None,
    publish: bool,
    made: Path | None,
    labels: tuple[str, ...],
    show: bool,
    as_json: bool,
) -> None:
    """Write the review of a week: quality, drift, alarms, decisions."""
    from mlops_kit.base import clock
    from mlops_kit.project import contract, repository
    from mlops_kit.reports.review import collect
    from mlops_kit.reports.review import publish as reviews

    repo = repository.find(Path.cwd())
    settings = contract.load(repo.root)
    if not made:
        monitors(repo)
    folder = made or out or repo.root / reviews.FOLDER
    if made:
        published = reviews.publish(repo, settings, folder, labels)
        finish(published, published.text, as_json)
        return
    try:
        monday = collect.monday(week, clock.now())
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    review = reviews.make(repo, settings, monday, folder, reporter())
    if publish:
        tell(reviews.publish(repo, settings, folder, labels).text)
    if show:
        click.launch(str(folder / reviews.PAGE))
    finish(review, f"{review.headline}\n{folder / reviews.PAGE}", as_json)
