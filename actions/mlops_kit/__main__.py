"""`python -m mlops_kit`: how the actions run it, from their own checkout and without building it."""

from mlops_kit.cli import main

if __name__ == "__main__":
    main()
