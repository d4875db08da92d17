"""MTCNN as femr runs it: the package's networks in a cascade of its own, many pictures and faces at a time."""
