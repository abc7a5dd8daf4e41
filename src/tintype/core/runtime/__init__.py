"""What the use-cases work with: worker pool, fair queue, caches, keys, counters."""
