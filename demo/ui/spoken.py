"""What a screen reader needs and Gradio's own markup does not give.

A group of radio buttons is a fieldset whose caption is no legend, and the crops of an image slider
have no alternative text: both get their words as soon as they are on the page.
"""

import gradio as gr

NAMES = """
const name = () => {
  for (const group of document.querySelectorAll('fieldset:not([aria-label])')) {
    const caption = group.querySelector('[data-testid="block-info"]');
    if (caption) group.setAttribute('aria-label', caption.textContent.trim());
  }
  document.querySelectorAll('#comparison img').forEach((image, place) => {
    image.alt = place ? 'The crop after the round trip' : 'The crop before the round trip';
  });
};
new MutationObserver(name).observe(document.body, {childList: true, subtree: true});
name();
"""


def spoken(name: str, role: str, tone: str) -> gr.HTML:
    """Places an empty region whose changes are read out, in the Blocks that is being built.

    Args:
        name: id of the element.
        role: "alert" or "status".
        tone: "assertive" interrupts what is being said, "polite" waits.
    """
    return gr.HTML(
        "",
        elem_id=name,
        js_on_load=(
            f"element.setAttribute('role', '{role}');element.setAttribute('aria-live', '{tone}');"
        ),
    )
