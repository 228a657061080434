"""The example that a visitor finds already analysed."""

from threading import Lock, Thread

from demo.core.analysis import Analysis, Toolbox, analyse
from demo.core.errors import DemoError
from demo.core.images import Picture
from demo.core.settings import Settings
from demo.ui.stepping import OnStep


class FirstLook:
    """One example under the default settings, analysed once for everybody.

    It holds no visitor's picture. Analysing it also loads the models before anybody waits.
    """

    def __init__(self, picture: Picture, toolbox: Toolbox) -> None:
        self.picture = picture
        self._toolbox = toolbox
        self._lock = Lock()
        self._analysis: Analysis | None = None

    def analysis(self, on_step: OnStep) -> Analysis:
        """Returns the analysis, made by the first who asks; errors as in ``analyse``."""
        with self._lock:
            if self._analysis is None:
                self._analysis = analyse(self.picture, Settings(), self._toolbox, on_step)
            return self._analysis

    def begin(self) -> None:
        """Starts the analysis in the background, so that the page itself is up at once."""
        Thread(target=self._quietly, daemon=True).start()

    def _quietly(self) -> None:
        try:
            self.analysis(lambda stage, fraction: None)
        except DemoError:
            return
