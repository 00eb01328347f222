"""An existing repository, made to train under DVC and the kit without a change to any of its files."""
