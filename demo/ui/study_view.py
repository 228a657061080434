"""What the Study tab says and shows, as HTML; everything that is not written here is escaped."""

from collections.abc import Iterable
from html import escape

from demo.study.finished import FinishedStudy
from demo.study.run import Plan
from demo.ui.study_running import Ended, Running
from demo.ui.wording import METHOD_NAMES, method_name

NONE = (
    "<p>No finished study is here yet. Make one with <code>python -m demo study run</code>, and "
    "begin the page with <code>--study-out</code> and the folder that holds its folder.</p>"
)
# Before the report's own head: nothing in it may run, or be asked of any host.
_NOTHING_FROM_OUTSIDE = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)
_QUARTERS = (
    "The study is running.",
    "A quarter of the study is done.",
    "Half of the study is done.",
    "Three quarters of the study are done.",
    "Every picture is measured.",
)


def label(study: FinishedStudy, bundled: bool) -> str:
    """A study in the list, as plain text."""
    names = ", ".join(METHOD_NAMES.get(method, method) for method in study.methods)
    end = ", bundled" if bundled else ""
    return f"{study.data}; K = {_factors(study.factors)}; {names}{end}"


def headline(study: FinishedStudy) -> str:
    """What a study is of, in a line or two."""
    pictures = f"{study.measured} of {study.samples} pictures measured"
    return (
        f"<p><strong>{escape(study.data)}.</strong> {pictures}. K = {_factors(study.factors)}, "
        f"restored by {_methods(study.methods)}, shrunk by {escape(study.kernel)} kernel.</p>"
    )


def framed(study: FinishedStudy) -> str:
    """The report in a frame of its own, where nothing can run, ask another host or lead away."""
    page = escape(_NOTHING_FROM_OUTSIDE + study.report())
    title = f"Report: {escape(study.data)}"
    return f'<iframe sandbox tabindex="0" title="{title}" srcdoc="{page}"></iframe>'


def progress(state: Running) -> str:
    """The bar shown while a study runs, with rate and time left where they are known."""
    if state.stage == "writing":
        return _bar("Every picture is measured. Writing the tables and the report …", "")
    if state.stage == "stopping":
        return _bar("Stopping after the picture in hand …", "")
    words = [f"{state.done} of {state.total} pictures"]
    if state.rate:
        words += [f"{state.rate:.2g} a second", _left((state.total - state.done) / state.rate)]
    about = f"{escape(state.data)}; {_plan(state.plan)}"
    bar = _bar(", ".join(words), f' value="{state.done / state.total:.3f}"')
    return f'{bar}<p class="under">{about}</p>'


def said(state: Running | Ended) -> str:
    """What a screen reader hears of a study: its quarters, so that it is not spoken all the time.

    How it ended is there to be seen too.
    """
    if isinstance(state, Running):
        quarter = 4 * state.done // state.total
        return f'<p class="spoken">{_QUARTERS[quarter]}</p>'
    last = state.last
    about = f"{escape(last.data)}; {_plan(last.plan)}"
    if state.folder is not None:
        return f"<p><strong>The study is finished.</strong> It is in the list: {about}.</p>"
    if state.refusal:
        return ""
    return (
        f"<p><strong>The study is stopped</strong> at {last.done} of {last.total} pictures. Run it "
        f"again with the same settings, and it goes on: {about}.</p>"
    )


def _bar(words: str, value: str) -> str:
    return f'<label class="running"><span>{words}</span><progress{value}></progress></label>'


def _left(seconds: float) -> str:
    if seconds < 90:
        return f"about {5 * round(seconds / 5) or 5} s left"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.1f} h left"


def _plan(plan: Plan) -> str:
    return f"K = {_factors(plan.factors)}, {_methods(plan.methods)}, seed {plan.seed}"


def _factors(factors: Iterable[float]) -> str:
    return ", ".join(f"{k:g}" for k in factors)


def _methods(methods: Iterable[str]) -> str:
    return ", ".join(map(method_name, methods))
