"""Many photos and videos at once, and the tidy table they end in."""
