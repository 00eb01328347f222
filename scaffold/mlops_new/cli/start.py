"""Where the `mlops-new` command begins: what stops it while Python still imports leaves no traceback."""

import signal


def main() -> None:
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:  # as a shell sets it for what it runs in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from mlops_new.cli import main

    signal.signal(signal.SIGINT, before)
    main.main()
