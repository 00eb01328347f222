"""One command a module: it parses, calls one library function, prints."""
