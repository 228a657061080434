"""The networks: how each is built, described, loaded and checked."""
