"""Measurements outside the package, each a program: `python -m benchmarks.speed`, `.recall`, `.pasted`, `.covering`.

They need a clone of the repository, `pip install mtcnn scikit-image` and, where faces are read, FER2013.
"""
