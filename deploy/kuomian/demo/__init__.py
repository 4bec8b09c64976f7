"""The demo: a made city pushed through the public API, and checked against its own truth."""
