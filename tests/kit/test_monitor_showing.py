"""What an issue shows beside the finding."""

from mlops_kit.monitoring import showing
from mlops_kit.monitoring.checking import Checked
from mlops_kit.monitoring.drift import Data
from mlops_kit.monitoring.operation import Operation
from mlops_kit.monitoring.predicted import Watched
from mlops_kit.monitoring.quality import Concept
from mlops_kit.monitoring.trained import Trained

UNSEEN_SEASON = "the reference has no row of month 6: what moved may be the season"


def checked(data: Data, concept: Concept) -> Checked:
    nothing = Operation("not connected"), Trained("not connected")
    return Checked("2026-06-30T06:00:00Z", "v0.1.0", "log.jsonl", "", data, concept, *nothing)


def test_predictions_that_moved_say_that_it_may_be_the_season() -> None:
    watched = Watched("probability", 400, 0.3, False, True)
    data = Data("no drift", 400, 400, notes=["Dep_Delay: 1 of 400 rows", UNSEEN_SEASON])
    concept = Concept("unknown", alarms=watched.alarms, watched=watched)
    shown = showing.outcome(checked(data, concept), "", "").shown["predictions-moved"]
    assert shown.endswith("\n\nThe reference has no row of month 6: what moved may be the season.")
    assert "Dep_Delay" not in shown
