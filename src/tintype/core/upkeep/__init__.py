"""What an operator runs, or a timer: checks, garbage collection, backups, backfills."""
