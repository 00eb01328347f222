"""The exception of a data file that cannot be trained on."""


class DataRefused(Exception):
    """Why the file cannot be trained on, and on a second line what to do."""
