"""Images: upload, list, update, delete."""
