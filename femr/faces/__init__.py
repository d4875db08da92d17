"""A picture to faces and their crops."""
