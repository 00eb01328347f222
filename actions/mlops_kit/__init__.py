"""What operates a DVC repository: train, gate, record, register and report, on a laptop as in CI."""

VERSION = "0.1.0"  # of this project; stands here because an action runs the kit without installing it
HOME = "https://github.com/mlops-new/mlops-new"  # where this project's documentation is
