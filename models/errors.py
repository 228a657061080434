"""The root of the project's errors, each a sentence that a person can act on."""


class DemoError(Exception):
    """Something that the person using the project can put right.

    The message is one plain sentence: what was expected, what came, and what to do. It never
    holds a path or a trace, so that every surface may show it as it is.
    """


class WeightsError(DemoError):
    """A network's card or weights are missing, damaged, or not the ones that were expected."""
