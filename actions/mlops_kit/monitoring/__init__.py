"""Is what arrives, what is predicted and what runs as it was when the model was made?"""
