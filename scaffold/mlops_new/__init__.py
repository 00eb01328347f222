"""Makes a machine-learning repository that trains on real data the minute it exists."""
