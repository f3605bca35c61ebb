"""Interop cases: what must happen between our programs and those of others, and whether it does."""
