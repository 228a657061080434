"""The Hugging Face hub, asked with a bound of seconds and given up for good once silent."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

Answer = TypeVar("Answer")


class HubError(Exception):
    """A file could not be had from the hub; the message is a clause that says why."""


class Hub:
    """One connection to the hub, shared by every network that lacks its weights.

    The first request has to be answered within `answer_seconds` and a file has to be there
    within `total_seconds`, whatever the network does; these bounds also hold where a library's
    own time limits do not (name look-ups, a server that drips single bytes). A hub that failed
    to answer once is not asked again.
    """

    def __init__(
        self,
        *,
        answer_seconds: float = 8.0,
        total_seconds: float = 60.0,
        endpoint: str | None = None,
        cache: Path | None = None,
    ) -> None:
        """Prepare, without asking anything yet.

        Args:
            answer_seconds: Bound for the first answer.
            total_seconds: Bound for one whole file.
            endpoint: Address of the hub; None takes huggingface_hub's own (HF_ENDPOINT).
            cache: Folder of downloads; None takes huggingface_hub's own (HF_HOME).
        """
        self._answer_seconds = answer_seconds
        self._total_seconds = total_seconds
        self._endpoint = endpoint
        self._cache = cache
        self._lock = threading.Lock()
        self._given_up: str | None = None

    def fetch(self, repository: str, file: str) -> Path:
        """The local copy of `file` of the model repository, downloaded if need be.

        Raises:
            HubError: The hub is silent, refuses, or is too slow.
        """
        with self._lock:
            try:
                cached = huggingface_hub.try_to_load_from_cache(repository, file, self._cache)
            except HFValidationError:
                raise HubError("the hub has no repository by such a name") from None
            if isinstance(cached, str):
                return Path(cached)
            if self._given_up is not None:
                raise HubError(self._given_up)
            started = time.monotonic()
            self._ask(lambda: self._look_up(repository, file), self._answer_seconds)
            left = self._total_seconds - (time.monotonic() - started)
            return Path(self._ask(lambda: self._download(repository, file), left))

    def _look_up(self, repository: str, file: str) -> str:
        url = huggingface_hub.hf_hub_url(repository, file, endpoint=self._endpoint)
        metadata = huggingface_hub.get_hf_file_metadata(
            url, token=False, timeout=2 * self._answer_seconds, endpoint=self._endpoint
        )
        return metadata.location

    def _download(self, repository: str, file: str) -> str:
        return huggingface_hub.hf_hub_download(
            repository,
            file,
            cache_dir=self._cache,
            etag_timeout=self._answer_seconds,
            endpoint=self._endpoint,
            token=False,
        )

    def _ask(self, request: Callable[[], str], seconds: float) -> str:
        try:
            return within(seconds, request)
        except HfHubHTTPError as answer:
            raise HubError(f"the hub refused with status {answer.response.status_code}") from None
        except TimeoutError:
            self._given_up = f"the hub did not answer within {seconds:.0f} s"
        except Exception:  # the hub's client raises a family of unrelated types
            self._given_up = "the hub could not be reached"
        raise HubError(self._given_up)


def within(seconds: float, call: Callable[[], Answer]) -> Answer:
    """The result of `call`, or TimeoutError after `seconds` with the call left to its fate."""
    outcome: Future[Answer] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except Exception as problem:
            outcome.set_exception(problem)

    threading.Thread(target=run, daemon=True, name="hub").start()
    return outcome.result(timeout=max(seconds, 0))
