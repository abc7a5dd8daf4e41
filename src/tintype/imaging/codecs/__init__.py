"""What a format needs besides its row in the table of formats."""
