"""The songs of femr: finished files in one folder an expression, library.json, and the code that composed them."""
