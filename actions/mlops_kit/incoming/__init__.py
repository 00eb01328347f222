"""New data: where it lands, whether it is whole and right, and how the pointer moves to it."""
