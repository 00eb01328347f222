"""One page a week: how right the model was, what moved, who was told, what is in use, and what to decide."""
