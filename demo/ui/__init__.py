"""The web page. Its first import settles that Gradio reports nothing to anybody."""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
