"""Every bad kind of picture through the real page: ``python -m tests.hostile.pictures``.

The 2,000 accidents go through the reader alone. Prints what came of them; ends with status 1 where
one was answered with neither a result nor a sentence, or with a place on the server.
"""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from demo.core.errors import ImageError
from demo.core.images import read_picture
from tests.browser.serving import served
from tests.core.bad_pictures import BAD_PICTURES, DAMAGED_PICTURES, is_one_sentence
from tests.core.heavy_pictures import BURDENED_PICTURES, HEAVY_PICTURES
from tests.core.mutated_pictures import SOUND_PICTURES, mutated, seeds
from tests.hostile.calls import Ground, ground, places_named
from tests.hostile.visiting import Visitor, picture

KINDS: Final[Mapping[str, Callable[[], bytes]]] = {
    **BAD_PICTURES,
    **DAMAGED_PICTURES,
    **HEAVY_PICTURES,
    **BURDENED_PICTURES,
}


def outcome(content: bytes, address: str, where: Ground) -> str:
    """What the page makes of a picture, taken as a face: "result", "sentence" or what is wrong."""
    visitor = Visitor(address)
    uploaded = picture(visitor.upload(content))
    answer = visitor.event("analyse", [uploaded, 2, "bicubic", "area", "face", 0])
    if answer.result is None:
        return answer.text
    if answer.succeeded:
        return "result"
    sentence = str(answer.result["output"]["error"])
    named = places_named(answer, where)
    return "sentence" if is_one_sentence(sentence) and not named else f"{sentence} {named}"


def reading(content: bytes) -> str:
    """What the reader makes of it, in the same words."""
    try:
        read_picture(content)
    except ImageError as refused:
        return "sentence" if is_one_sentence(str(refused)) else str(refused)
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"
    return "result"


def main() -> int:
    """Sends and reads them all; returns 1 where one went wrong."""
    with served(["--device", "cpu"]) as address, ground(address) as where:
        kinds = {name: outcome(make(), address, where) for name, make in KINDS.items()}
    accidents: dict[str, str] = {}
    slowest = 0.0
    for name in SOUND_PICTURES:
        for seed in seeds(name):
            begun = time.process_time()
            accidents[f"{name}, seed {seed}"] = reading(mutated(name, seed))
            slowest = max(slowest, time.process_time() - begun)
    wrong = 0
    for title, outcomes in (("kinds through the page", kinds), ("accidents read", accidents)):
        told = list(outcomes.values())
        results, sentences = told.count("result"), told.count("sentence")
        wrong += len(told) - results - sentences
        print(f"{len(told)} {title}: {results} results, {sentences} sentences")
        for name, said in outcomes.items():
            if said not in {"result", "sentence"}:
                print(f"  {name}: {said}")
    print(f"The slowest accident took {slowest:.2f} s of a processor's time.")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
