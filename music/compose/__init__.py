"""How the songs were made: a vocabulary of composing, and in `pieces` one score a module. Not needed at run time."""
