"""One module a command; each parses, calls, prints."""
