"""`python -m mlops_kit`: how the actions run it, from their own checkout and without building it."""

import gc

gc.set_threshold(100_000)  # what is imported stays: to look through it again and again takes 5 % of a command

from mlops_kit.cli.main import main  # after that

if __name__ == "__main__":
    main()
