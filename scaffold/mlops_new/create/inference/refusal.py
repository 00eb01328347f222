"""What stops the reading of a file."""


class Refused(Exception):
    """Why the file cannot be trained on, and on a second line what to do."""
