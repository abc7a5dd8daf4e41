"""Decoding of untrusted bytes, in a pool of sandboxed processes."""
