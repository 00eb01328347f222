"""Each tier, lived in: its own checks, and its servers on loopback."""
