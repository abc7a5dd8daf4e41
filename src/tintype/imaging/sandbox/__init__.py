"""Where strangers' bytes are decoded: a pool of processes that can do nothing else."""
