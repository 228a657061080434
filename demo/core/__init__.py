"""The shared inference core: knows no screen and no data set."""
