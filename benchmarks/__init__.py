"""How fast femr is and which faces it finds, beside the plain mtcnn package, the reference's way and its peers."""
