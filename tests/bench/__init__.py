"""Benchmarks, side by side with what a team would pick today: `python -m tests.bench`."""
