"""Maintenance, run by an operator or a timer: checks, garbage collection, backups, backfills."""
