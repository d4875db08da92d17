"""What a group showed, as numbers, charts and a page, never of fewer than five faces."""
