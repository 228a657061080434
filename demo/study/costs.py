"""What a face costs each network of a study, timed in one thread of one process.

Times differ from run to run, so they stand in a file of their own beside the scores, and are taken
once: a study that goes on keeps those that it has.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from demo.core.errors import DemoError
from demo.core.faces import cut
from demo.core.images import Picture, check_picture
from demo.core.picture_attack import Toolbox, find_targets
from demo.core.settings import Settings
from demo.study.detectors import study_defences, study_detectors
from demo.study.measuring import study_judges
from demo.study.run_folder import write_whole
from demo.study.samples import DataSet

COSTS: Final = "costs.json"
CROPS: Final = 8
ROUNDS: Final = 3


def write_costs(folder: Path, data: DataSet, toolbox: Toolbox) -> None:
    """Time every detector and defence on faces of a study, and write them into its folder.

    Does nothing where the file is there. The networks take turns, so that a machine that slows
    down slows all of them down.

    Raises:
        WeightsError: a network is refused.
    """
    file = folder / COSTS
    if file.exists():
        return
    zoo = toolbox.zoo
    detectors = study_detectors(zoo, (), data.forgeries)
    asked = study_judges(detectors, study_defences(zoo), zoo)
    crops = _crops(data, toolbox)
    taken: dict[str, list[float]] = {judge.name: [] for judge in asked}
    for turn in range(ROUNDS + 1):
        for judge in asked:
            for crop in crops:
                begin = time.perf_counter()
                judge.ask([crop])
                if turn:  # The first one pays for loading.
                    taken[judge.name].append(1000 * (time.perf_counter() - begin))
    said = {
        "milliseconds": {name: median(times) for name, times in taken.items() if times},
        "crops": len(crops),
        "rounds": ROUNDS,
    }
    write_whole(file, json.dumps(said, indent=2) + "\n")


def read_costs(folder: Path) -> Mapping[str, float]:
    """Milliseconds a face by name; empty where none were taken."""
    try:
        said = json.loads((folder / COSTS).read_text(encoding="utf-8"))
        return {str(name): float(value) for name, value in said["milliseconds"].items()}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}


def _crops(data: DataSet, toolbox: Toolbox) -> Sequence[Picture]:
    """Faces of the first usable samples."""
    crops: list[Picture] = []
    for sample in data.samples:
        if len(crops) == CROPS:
            break
        settings = Settings(box=sample.box, whole=data.crops and sample.box is None)
        try:
            picture = check_picture(data.read(sample))
            found = () if data.crops or sample.box else toolbox.faces.find(picture)
            (target,) = find_targets(picture, found, settings, toolbox.zoo)
            crops.append(cut(picture, target.box))
        except DemoError:
            continue
    return crops
