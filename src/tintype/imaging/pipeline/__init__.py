"""The steps of a rendition: load, resample, convert to sRGB, flatten, crop or pad, rotate, encode."""
