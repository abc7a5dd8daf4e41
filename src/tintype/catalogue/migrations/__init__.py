"""The steps from one schema to the next; each file is one step and is never changed again."""
