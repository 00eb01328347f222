"""Makes a machine-learning repository that trains on real data the minute it exists."""

# The one place that names where this project lives; a fork that publishes its own changes it here.
REPOSITORY = "mlops-new/mlops-new"
