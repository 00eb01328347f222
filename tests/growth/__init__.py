"""Proof that repositories grow without loss: every combination of tiers, and owners' edits times tiers.

`python -m tests.growth` prints the whole table of edits and tiers. Layers and tools that the template does not have
yet are stood in for by `stand_ins.py`, so that the machinery is proved at its full width from the first tier on.
"""
