"""The entry point of `mlops-new`: Ctrl-C while Python still imports leaves no traceback."""

import signal


def main() -> None:
    """Import the command while Ctrl-C simply ends the process, and run it."""
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:  # a shell ignores it for commands in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from mlops_new.cli import main

    signal.signal(signal.SIGINT, before)
    main.main()
