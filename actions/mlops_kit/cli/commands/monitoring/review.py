"""mlops-kit review."""

from pathlib import Path

import click

from mlops_kit.cli import browser
from mlops_kit.cli.options import examples, excludes, json_option
from mlops_kit.cli.output import finish, reporter, tell
from mlops_kit.cli.workspace import monitors


@click.command(
    epilog=examples(
        "mlops-kit review --open",
        "mlops-kit review --week 2026-W47 --publish",
    )
)
@click.option(
    "--week",
    metavar="2026-W47",
    help="ISO week.  [default: this week; in CI and with --publish the last whole week]",
)
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Write the review here.  [default: .mlops/review at the root]",
)
@click.option(
    "--publish", is_flag=True, help="Post the review in the issue `Weekly review`, once for each week."
)
@click.option(
    "--from",
    "made",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Only publish the review in this folder.  [default: make a review]",
)
@click.option(
    "--label",
    "labels",
    metavar="LABEL",
    multiple=True,
    help="Label for the issue; repeat it for more.  [default: none]",
)
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
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
    """Write the weekly review: quality, drift and alarms."""
    from mlops_kit.base import clock
    from mlops_kit.forge import runner
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
        monday = collect.monday(week, clock.now(), whole=publish or runner.on_runner())
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    review = reviews.make(repo, settings, monday, folder, reporter())
    if publish:
        tell(reviews.publish(repo, settings, folder, labels).text)
    if show:
        browser.show(folder / reviews.PAGE)
    finish(review, f"{review.headline}\n{folder / reviews.PAGE}", as_json)
