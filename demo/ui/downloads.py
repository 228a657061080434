"""What a download says once its file has gone: a browser gives no reason."""

import gradio as gr

from demo.ui import wording

GONE = "This file is no longer on the server: files are kept for ten minutes. Make it again."
_CHECK = f"""async (file) => {{
  const unchanged = {{__type__: 'update'}};
  if (!file) return unchanged;
  const there = await fetch(file.url, {{method: 'HEAD'}});
  return there.ok ? unchanged : {wording.problem(GONE)!r};
}}"""


def say_if_gone(button: gr.DownloadButton, problem: gr.HTML) -> None:
    """Has a download button say in the problem's place when there is nothing left to download."""
    button.click(None, button, problem, js=_CHECK, show_progress="hidden", api_visibility="private")
