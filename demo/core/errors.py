"""Errors whose message is meant for the person at the page or the command line."""

from models.errors import DemoError, WeightsError

__all__ = ["DemoError", "ImageError", "NoFaceError", "RecordError", "SettingsError", "WeightsError"]


class ImageError(DemoError):
    """What came is not a picture that can be used."""


class NoFaceError(DemoError):
    """No face was found where one was needed."""


class RecordError(DemoError):
    """What came is not the record of an analysis, or not of this picture."""


class SettingsError(DemoError):
    """A setting is impossible, or does not fit the picture."""
