"""What operates a DVC repository: train, gate, record, register and report, on a laptop as in CI."""
