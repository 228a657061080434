"""Experiments over data sets: run one, make its tables, report it."""
