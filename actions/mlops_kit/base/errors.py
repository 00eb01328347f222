"""The one exception that reaches a person."""

DONE, FIXABLE, USAGE, OUR_BUG = 0, 1, 2, 3
SAYS_NO = 10  # a result, not an error: gate closed, data refused, lock stale


class KitError(Exception):
    """What happened, with the value; then what to do about it."""

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(f"{what}\n{do}" if do else what)
        self.what = what
        self.do = do
