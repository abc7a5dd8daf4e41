"""A rendition, step by step: load, colour, resample, flatten, crop or pad, encode."""
