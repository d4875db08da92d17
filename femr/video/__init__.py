"""Moving pictures, from a file or a webcam: faces keep their numbers, scores and mood are steady over time."""
