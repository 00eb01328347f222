"""The exception that a person reads, and the exit code of a negative answer."""

SAYS_NO = 10  # exit code: the command worked, and the answer is no


class MlopsNewError(Exception):
    """`what` happened, with the value; `do`: what to do about it, as a command if possible."""

    code = 1

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(f"{what}\n{do}" if do else what)
        self.what = what
        self.do = do


class UsageError(MlopsNewError):
    """Options or arguments that cannot be given together."""

    code = 2
