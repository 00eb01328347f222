"""One review a week, with gaps where nothing is known, and one issue that is updated."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlops_kit.project import contract as contracts
from mlops_kit.reports.review import collect, pages
from mlops_kit.reports.review import weeks as review_weeks
from mlops_kit.reports.review.collect import Review
from mlops_kit.runs import events, log
from mlops_kit.runs.events import Journal
from mlops_kit.versions import stages
from pyarrow import parquet

from tests.act.api import Api
from tests.conftest import Done
from tests.kit.monitoring import log_repository
from tests.kit.monitoring.log_repository import MLOPS, probability, table
from tests.kit.small_repository import Small, kit, small

LOG = "served/*.jsonl"
CONNECTED = MLOPS.replace("monitoring: {", f"monitoring: {{log: {LOG}, labels: came.parquet, ").replace(
    "silent_hours_at_most: 24", "silent_hours_at_most: 2000"
)
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)  # a Tuesday: the last whole week is 2026-W47
Asked = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Predictions in W44, W45 and W47, with labels in all but W45; W46 has none at all."""
    one = log_repository.repository(tmp_path_factory.mktemp("reviewed") / "flights")
    one.write("mlops.yaml", CONNECTED)
    came = []
    (one.root / "served").mkdir()
    for week, seed in ((44, 44), (45, 45), (47, 47)):
        rows = table(seed, 300)
        begin = datetime.fromisocalendar(2026, week, 1).replace(tzinfo=UTC)
        lines = [
            {
                "time": (begin + timedelta(minutes=at)).isoformat(),
                "key": rows["id"][at],
                "inputs": {"x": rows["x"][at], "amount": rows["amount"][at], "side": str(rows["side"][at])},
                "prediction": bool(share > 0.5),
                "probability": share,
            }
            for at, share in enumerate(probability(rows))
        ]
        lines.append({"time": begin.isoformat(), "error": "a column is missing", "rows": 9})
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        (one.root / f"served/{week}.jsonl").write_text(text, encoding="utf-8")
        came += [pa.table(rows)] if week != 45 else []
    parquet.write_table(pa.concat_tables(came), one.root / "came.parquet")
    return one


@pytest.fixture
def review(watched: Small) -> Asked:
    def run(*words: str, at: datetime = NOW) -> dict[str, Any]:
        words = words or ("--week", "2026-W47")
        done = watched.kit("review", "--json", *words, MLOPS_NOW=at.isoformat())
        assert done.code == 0, done.said
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def text(watched: Small, name: str = "review.md") -> str:
    return (watched.root / ".mlops/review" / name).read_text("utf-8")


def row(watched: Small, week: str) -> list[str]:
    (line,) = (line for line in text(watched).splitlines() if line.startswith(f"| {week} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_quality_by_week_with_a_gap_where_there_is_none(watched: Small, review: Asked) -> None:
    found = review()
    assert found["week"]["monday"] == "2026-11-16"
    by_week = {week["monday"]: week for week in found["weeks"]}
    assert [by_week[f"2026-{day}"]["predictions"] for day in ("10-26", "11-02", "11-09", "11-16")] == [
        *(309, 309, 0, 309)
    ]
    assert by_week["2026-11-16"]["failed"] == 9
    assert by_week["2026-11-02"]["figure"] is None
    figure = by_week["2026-11-16"]["figure"]
    assert figure["low"] < figure["value"] < figure["high"] and figure["n"] == 300
    assert sorted(found["week"]["slices"]) == ["side=a", "side=b"]
    assert row(watched, "2026-W46")[1:4] == ["none", "", ""]  # a gap, not a zero
    assert row(watched, "2026-W45")[3] == "no labels yet"
    assert row(watched, "2026-W47")[5] == "9"


def test_a_week_of_three_labels_cannot_tell() -> None:
    week = review_weeks.Week(datetime(2026, 11, 16).date(), predictions=300, labelled=3)
    assert "| 2026-W47 | 300 | 3 | can't tell |" in pages.markdown(Review("flights", week, [week], True))


def test_the_page_is_whole_and_loads_nothing(watched: Small, review: Asked) -> None:
    review()

    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if name in ("src", "href"))
            assert tag != "script"

    page = text(watched, "review.html")
    Links().feed(page)
    assert [one for one in found if not one.startswith("#")] == []
    assert page.count("<svg") >= 3 and "To decide" in page


def test_the_pictures_leave_a_gap_where_nothing_is_known(watched: Small, review: Asked) -> None:
    """Of the weeks W36 to W47 predictions are there in three, and labels in two that are no neighbours."""
    weeks = review()["weeks"]
    drawn = re.findall(r"<figure>(.*?)</figure>", text(watched, "review.html"), re.DOTALL)
    quality, predictions, labelled, failed, slices = drawn
    assert len(weeks) == 12
    for picture in (quality, predictions, labelled, failed):
        assert [name for name in range(36, 48) if f"2026-W{name}" not in picture] == []
    lines = re.findall(r'<polyline points="([^"]+)"[^>]* stroke-width="1.5"', quality)
    assert [len(line.split()) for line in lines] == [1, 1]  # two points that no line joins
    for picture, known in ((predictions, 3), (labelled, 2), (failed, 3)):
        heights = [float(height) for height in re.findall(r'<rect [^>]*height="([^"]+)"', picture)]
        assert len(heights) == len(weeks) and sum(height > 0 for height in heights) == known
    assert "side=a" in slices and "side=b" in slices


def test_from_any_folder_it_is_written_to_the_root(watched: Small) -> None:
    inside = watched.root / "served"
    (watched.root / ".mlops/review/review.html").unlink(missing_ok=True)
    assert kit(inside, "review", MLOPS_NOW=NOW.isoformat()).code == 0
    assert (watched.root / ".mlops/review/review.html").is_file()
    assert not (inside / ".mlops").exists()


def test_alarms_and_drift_come_from_the_checks(watched: Small, review: Asked) -> None:
    """Of the log: a file that somebody looked at beside it says nothing of what runs."""
    journal = Journal(watched.repository, "checks")
    checks: list[tuple[str, list[str], list[str]]] = [
        ("2026-11-10", ["data-drift", "errors"], ["data-drift", "errors"]),
        ("2026-11-17", ["data-drift"], ["data-drift", "errors"]),
        ("2026-11-18", ["data-drift"], ["data-drift", "errors"]),  # of nearly the same week
        ("2026-11-23", [], ["errors"]),  # too few rows to tell of drift
    ]
    for day, kinds, judged in checks:
        event = {"run": "checks", "at": f"{day}T06:00:00Z", "stage": "monitor", "window": LOG, "rows": 300}
        event |= {"status": "alarm" if kinds else "fine", "kinds": kinds, "judged": judged}
        event |= {"columns": ["amount"] if "data-drift" in kinds else None, "data": "no drift"}
        event["span"] = [f"{day[:-2]}{int(day[-2:]) - 7:02}T06:00:00Z", event["at"]]
        journal.file.parent.mkdir(parents=True, exist_ok=True)
        with journal.file.open("a") as stream:
            stream.write(json.dumps(event) + "\n")
    for day, status in (("2026-11-12", "old"), ("2026-11-18", "old")):
        event = {"run": "checks", "at": f"{day}T05:00:00Z", "stage": "newest-row", "status": status}
        with journal.file.open("a") as stream:
            stream.write(json.dumps(event) + "\n")
    beside: dict[str, Any] = {
        "run": "checks",
        "at": "2026-11-18T06:00:00Z",
        "stage": "monitor",
        "window": "looked-at.parquet",
    }
    beside |= {"status": "alarm", "kinds": ["schema"], "judged": ["data-drift", "schema"], "columns": ["x"]}
    of_the_log = beside | {"window": LOG, "by_hand": True}  # all of it, and not its last days
    with journal.file.open("a") as stream:
        stream.writelines(json.dumps(one) + "\n" for one in (beside, of_the_log))
    found = review()
    assert [(one["kind"], one["ended"] is None) for one in found["alarms"]] == [
        ("data-drift", True),
        ("errors", False),
        ("newest-row", True),
    ]
    assert "The data is old: no newer rows come, since 2026-11-12" in found["decide"]
    assert "2 checks saw 1 window; drift in `amount`." in text(watched)
    assert any("Data drift, since 2026-11-10" in one for one in found["decide"])
    journal.file.unlink()


@pytest.mark.parametrize(
    ("judged", "said"),
    [
        ([], "1 check saw 1 window, too small to tell whether a column drifted."),
        (["data-drift"], "1 check saw 1 window, and no column drifted."),
    ],
)
def test_that_nothing_moved_is_said_where_it_would_have_shown(judged: list[str], said: str) -> None:
    week = review_weeks.before(NOW.date(), 1)[0]
    event = {"at": NOW.isoformat(), "window": LOG, "judged": judged}
    review_weeks.fill_checks([week], [event])
    assert said in pages.markdown(Review("flights", week, [week], connected=True))


def test_never_connected_is_said_and_no_alarm(tmp_path: Path) -> None:
    one = small(tmp_path / "new")
    one.tag("v0.1.0")
    at = datetime.now(UTC) + timedelta(days=14)
    done = one.kit("review", MLOPS_NOW=at.isoformat())
    assert done.code == 0, done.said
    page = (one.root / ".mlops/review/review.md").read_text("utf-8")
    assert "No predictions log is connected" in page and re.search(
        r"`v0\.1\.0` is in production, (14 days|13 days 23 hours) old", page
    )
    assert "### To decide\n\nNothing." in page


def test_no_traffic_after_there_was_some_is_to_be_decided(review: Asked) -> None:
    found = review("--week", "2026-W46")
    assert found["decide"] == ["No predictions this week; the last ones are of 2026-W45"]


def test_one_issue_is_brought_up_to_date_once_a_week(watched: Small, review: Asked, on_github: Api) -> None:
    review("--publish", at=NOW - timedelta(days=7))
    review("--publish", at=NOW - timedelta(days=6))
    (issue,) = on_github.issues
    assert issue["title"] == "Weekly review" and "2026-W46" in issue["body"]
    assert on_github.comments == []
    asked = len(on_github.requests)
    review("--publish", at=NOW - timedelta(days=5))
    assert len(on_github.requests) == asked  # what was published is known here
    review("--publish")
    assert len(on_github.issues) == 1 and "2026-W47" in issue["body"]
    (comment,) = on_github.comments
    assert comment["body"].startswith("**2026-W47: roc_auc 0.")


def test_a_review_is_no_sign_that_the_monitor_lives(watched: Small, on_github: Api) -> None:
    """It is published after a check that failed too; only a check that came to its end gives a heartbeat."""
    ran = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": "7",
        "MLOPS_NOW": (NOW + timedelta(days=14)).isoformat(),
    }
    assert watched.kit("review", "--publish", **ran).code == 0
    (_issue,) = on_github.issues
    listed = watched.git("ls-tree", "-r", "--name-only", events.BRANCH).split()
    assert listed == ["events/2026/12/7-1-review.jsonl"]


def test_by_default_it_is_this_week_and_where_it_is_published_the_last_whole_one(watched: Small) -> None:
    def week(*words: str, **more: str) -> str:
        done = watched.kit("review", "--json", *words, MLOPS_NOW=NOW.isoformat(), **more)
        assert done.code == 0, done.said
        return str(json.loads(done.stdout)["week"]["monday"])

    assert week() == "2026-11-23"
    assert week(GITHUB_ACTIONS="true", GITHUB_RUN_ID="7") == "2026-11-16"
    assert collect.monday(None, NOW, whole=True) == datetime(2026, 11, 16).date()


def test_trainings_by_hand_are_told_from_those_of_workflows() -> None:
    week = review_weeks.before(review_weeks.monday_of(NOW.date()), 1)[0]

    def run(name: str, status: str, trigger: str) -> log.Run:
        return log.Run(name, status, NOW.isoformat(), 1.0, trigger, "", "", {"train": "end"}, published=True)

    hand = [run("c", "done", "manual"), run("d", "stopped", "manual")]
    review_weeks.fill_trainings(
        [week], [run("a", "done", "push"), run("b", "failed", "schedule"), hand[0]], hand
    )
    page = pages.markdown(Review("flights", week, [week], connected=False))
    assert "- Trainings: 1 done, 1 failed; by hand: 1 done, 1 stopped" in page


def test_a_rollback_is_told_from_a_promotion_and_the_age_is_until_now(tmp_path: Path) -> None:
    one = small(tmp_path / "used")
    contract = contracts.load(one.root)
    for version in ("v0.1.0", "v0.2.0"):
        one.tag(version)
    for count, (version, kind) in enumerate(
        [("v0.1.0", "promotion"), ("v0.2.0", "promotion"), ("v0.1.0", "rollback")], 1
    ):
        text = stages.message(
            f"{version} to production", f"Reason {count}.", Kind=kind, By="Ann", Was="nothing"
        )
        one.git(
            "tag", "--annotate", f"--message={text}", f"flights#production#{count}", f"flights@{version}^{{}}"
        )
    monday = review_weeks.monday_of(datetime.now(UTC).date())
    found = collect.build(one.repository, contract, monday, lambda _: None)
    assert found.promoted == [
        "v0.1.0 to production by Ann: Reason 1.",
        "v0.2.0 to production by Ann: Reason 2.",
    ]
    assert found.rolled_back == ["v0.1.0 to production by Ann: Reason 3."]
    page = pages.markdown(found)
    assert "- Rolled back: v0.1.0 to production by Ann: Reason 3." in page
    assert "- `v0.1.0` is in production, 1 minute old" in page


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--week", "last"], 2, "'last' is no week; write 2026-W47"),
        (["--week", "2026-W60"], 2, "no week"),
        (["--week", "9999-W52"], 2, "no week that has begun"),
        (["--week", "1-W01"], 2, "no week that has begun"),
        (["--from", "."], 1, "holds no review"),
    ],
)
def test_what_is_no_week_and_no_review_is_named(
    words: list[str], code: int, says: str, watched: Small
) -> None:
    done: Done = watched.kit("review", *words)
    assert done.code == code and says in done.stderr


def test_weeks_are_those_of_the_iso_calendar() -> None:
    listed = review_weeks.before(review_weeks.monday_of(datetime(2027, 1, 1).date()), 2)
    assert [one.name for one in listed] == ["2026-W52", "2026-W53"]


PAGES = "https://github.com/acme/flights/"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/acme/flights/issues/7",
        "https://github.com/acme/flights-evil/issues/7",
        "https://github.com/acme/flights/issues/7/../../../evil/repo/issues/1",
        "https://github.com/acme/flights/pull/7",
        "https://github.com/acme/flights/issues/7)[x](https://evil.example",
        "https://github.com@evil.example/acme/flights/issues/7",
        "https://github.com/acme/flights/issues/7\n",
        "javascript:alert(1)",
        "not told: no token",
        "",
    ],
)
def test_an_issue_elsewhere_is_not_linked(address: str) -> None:
    raised = {
        "run": "r",
        "at": "2026-11-17T06:00:00Z",
        "stage": "monitor",
        "kinds": ["data-drift"],
        "judged": [],
    }
    told = {"run": "r", "at": "2026-11-17T06:01:00Z", "stage": "alarm:data-drift", "where": address}
    for where, shown in ((address, ""), (f"{PAGES}issues/7", f"{PAGES}issues/7")):
        (alarm,) = review_weeks.alarms([raised], [told | {"where": where}], PAGES)
        assert alarm.where == shown
        for page in (pages._alarms([alarm]), pages._alarm_table([alarm])):
            assert ("http" in page or "javascript" in page) == bool(shown)
    renamed = told | {"where": "https://github.com/Acme/Flights/issues/7"}
    assert review_weeks.alarms([raised], [renamed], PAGES)[0].where == renamed["where"]
    assert review_weeks.alarms([raised], [told], "")[0].where == ""  # origin is not on GitHub
