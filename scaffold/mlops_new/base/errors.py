"""The one exception that reaches a person, and a code for what is no error."""

SAYS_NO = 10  # done, and the answer is no


class MlopsNewError(Exception):
    """What happened, with the value; then what to do about it."""

    code = 1

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(f"{what}\n{do}" if do else what)
        self.what = what
        self.do = do


class Misused(MlopsNewError):
    """Words of the command that do not fit together."""

    code = 2
