"""Deepfake detectors against a super-resolution round trip (arXiv 2407.02670)."""

__version__ = "0.1.0"
