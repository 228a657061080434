"""Made-up faces to run a study on, and a made-up finished study, both small."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from demo.study.measuring import CLEAN
from demo.study.report import write_report
from demo.study.samples import PRISTINE


def make_faces(root: Path, each: int = 10) -> Path:
    """Write crops of noise into ``real/`` and ``fake/`` of a new folder; return it."""
    rng = np.random.default_rng(5)
    for kind in ("real", "fake"):
        (root / kind).mkdir(parents=True)
        for number in range(each):
            crop = rng.integers(0, 256, (40 + number, 48, 3), dtype=np.uint8)
            Image.fromarray(crop).save(root / kind / f"{number}.png")
    return root


def made_scores(
    samples: int = 120,
    seed: int = 2,
    harm: float = 1.2,
    round_trips: tuple[tuple[str, float], ...] = (("edsr", 2.0), ("bicubic", 2.0)),
) -> pd.DataFrame:
    """Scores of two pictures a source, made up: to one detector the attack makes all look real."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(samples):
        fake = number % 2 == 1
        for place, detector in enumerate(("resnet50", "xception")):
            clean = rng.normal() + (1.5 if fake else -1.5)
            for method, k in ((CLEAN, 1.0), *round_trips):
                hidden = 0.0 if method == CLEAN else place * (harm if fake else 0.8)
                made.append(
                    {
                        "sample": f"{number}.jpg",
                        "forgery": "Deepfakes" if fake else PRISTINE,
                        "source": f"video {number // 2}",
                        "picture_sha256": f"{number:064d}",
                        "face_side": float(80 + number),
                        "method": method,
                        "k": k,
                        "detector": detector,
                        "threshold": 0.6,
                        "logit": clean - hidden,
                        "ssim": 1.0 if method == CLEAN else 0.9 + number / 2000,
                        "psnr_db": np.inf if method == CLEAN else 30.0 + number / 100,
                        "published_ssim": 1.0 if method == CLEAN else 0.95,
                        "published_psnr_db": np.inf if method == CLEAN else 35.0,
                    }
                )
    return pd.DataFrame(made)


def make_study(folder: Path, data: str, samples: int = 24) -> Path:
    """Write a finished study of two detectors, one of which misses fakes after it; return it."""
    scores = made_scores(samples, harm=2.0, round_trips=(("edsr", 2.0),))
    folder.mkdir(parents=True)
    scores.to_parquet(folder / "scores.parquet")
    plan = {"methods": ["edsr"], "factors": [2.0], "kernel": "area", "seed": 4}
    refused = [{"sample": "<b>.png", "forgery": "Deepfakes", "why": "It is no picture."}]
    said = {"data": data, "samples": samples + 1, "measured": samples, "crops": True}
    (folder / "manifest.json").write_text(json.dumps(said | {"plan": plan, "refused": refused}))
    write_report(folder)
    return folder
