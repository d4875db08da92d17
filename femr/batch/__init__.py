"""Many photos and videos at once: from folders, lists, ZIP files and addresses; on this machine or on several."""
