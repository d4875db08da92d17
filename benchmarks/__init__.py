"""Measurements outside the package, each a program: `python -m benchmarks.speed`, and so on.

speed, start, engines and visitors: how fast, and with what memory. recall, pasted and covering: how well. peers: beside
other packages. wheels: where femr can be installed.

They need a clone of the repository, `pip install mtcnn scikit-image` and, where faces are read, FER2013.
"""
