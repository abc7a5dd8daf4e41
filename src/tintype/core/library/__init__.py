"""Images taken in, listed, changed and deleted."""
