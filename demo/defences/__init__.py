"""Defences against the round trip: trained, measured and put side by side."""
