"""What a study of white-box attacks found: success against strength, and beside the round trip."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from demo.core.errors import SettingsError
from demo.core.white_box import ATTACKS, PGD_L2
from demo.study.gathering import MANIFEST, SCORES
from demo.study.measuring import CLEAN
from demo.study.rates import Estimate, Flags, mean, paired_p
from demo.study.samples import PRISTINE
from demo.study.white_box_measuring import EQUAL_PSNR, ROUND_TRIP

NOTHING = Estimate(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Point:
    """One attack on one detector, over all crops.

    Attributes:
        detector: attacked and asked.
        attack: as in ``white_box.WhiteBoxRow``.
        strength: the same for all crops, or the mean where each crop has its own.
        psnr_db: mean over the crops that changed.
        changed: mean share of pixels that differ.
        fakes: mean fake probability of the fakes.
        pristine: mean fake probability of the pristine crops.
        success: share of verdicts that turn, of those that were right on the clean crop.
        right: how many those are.
    """

    detector: str
    attack: str
    strength: float
    psnr_db: Estimate
    changed: Estimate
    fakes: Estimate
    pristine: Estimate
    success: Estimate
    right: int


@dataclass(frozen=True)
class Beside:
    """An attack by gradients beside the round trip of the same PSNR, on the same crops.

    Attributes:
        knows: whose gradient was followed.
        detector: who was asked.
        of: "all" crops, "fakes" or "pristine".
        right: crops that the detector judged rightly before.
        psnr_db: mean of the round trips.
        apart_db: the most that the two attacks' PSNR differ on any crop that both change.
        round_trip: share of right verdicts that the round trip turns.
        gradient: share that the attack by gradients turns.
        more: the second less the first.
        p_value: two-sided, of the paired permutation test over sources.
        as_much_db: mean PSNR of the weakest PGD in L2 that turns as many verdicts as the round
            trip; None where no strength does, or where ``knows`` is not who was asked.
    """

    knows: str
    detector: str
    of: str
    right: int
    psnr_db: Estimate
    apart_db: float
    round_trip: Estimate
    gradient: Estimate
    more: Estimate
    p_value: float
    as_much_db: Estimate | None


@dataclass(frozen=True)
class WhiteBoxResults:
    """A finished study of white-box attacks.

    Attributes:
        rows: the columns of ``white_box.WhiteBoxRow``.
        manifest: what was asked.
        seed: of the intervals.
    """

    rows: pd.DataFrame
    manifest: Mapping[str, object]
    seed: int

    @cached_property
    def detectors(self) -> tuple[str, ...]:
        """In the order asked."""
        return tuple(self.rows["detector"].unique())

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Every attack with its attacker's own knowledge, by detector, attack and strength."""
        found: list[Point] = []
        for detector in self.detectors:
            for attack in (CLEAN, ROUND_TRIP, EQUAL_PSNR):
                found.append(self._point(detector, attack, None))
            for attack in ATTACKS:
                asked = self.rows.loc[self.rows["attack"] == attack, "strength"].unique()
                found += [self._point(detector, attack, float(one)) for one in sorted(asked)]
        return tuple(found)

    @cached_property
    def beside(self) -> tuple[Beside, ...]:
        """At equal PSNR: each detector by its own gradient, then by those of the others."""
        own = [
            self._beside(one, one, of) for one in self.detectors for of in ("all", *_kinds(self))
        ]
        others = [
            self._beside(knows, asked, "all")
            for knows in self.detectors
            for asked in self.detectors
            if knows != asked
        ]
        return *own, *others

    def still(self, detector: str) -> tuple[int, int]:
        """How many crops a detector's own gradient leaves as they are, of those to be changed."""
        trip = self._answers(detector, ROUND_TRIP, None, "")["psnr_db"]
        gradient = self._answers(detector, EQUAL_PSNR, None, detector)["psnr_db"]
        asked = np.isfinite(trip)
        return int((asked & ~np.isfinite(gradient)).sum()), int(asked.sum())

    def clean_of_curves(self, detector: str) -> Point:
        """What a detector says of the clean crops that were attacked at every strength."""
        asked = self.rows.loc[self.rows["attack"].isin(ATTACKS), "sample"]
        kept = replace(self, rows=self.rows[self.rows["sample"].isin(asked)])
        return kept._point(detector, CLEAN, None)

    def _answers(
        self, detector: str, attack: str, strength: float | None, knows: str
    ) -> pd.DataFrame:
        """Rows of one detector and attack, by sample."""
        rows = self.rows
        wanted = (rows["detector"] == detector) & (rows["attack"] == attack)
        if attack not in (CLEAN, ROUND_TRIP):
            wanted &= rows["knows"] == knows
        if strength is not None:
            wanted &= rows["strength"] == strength
        return rows[wanted].set_index("sample")

    def _mean(self, values: pd.Series, source: pd.Series) -> Estimate:
        if not len(values) or not np.isfinite(values).any():
            return NOTHING
        return mean(values.to_numpy(np.float64), source.to_numpy(), self.seed)

    def _point(self, detector: str, attack: str, strength: float | None) -> Point:
        found = self._answers(detector, attack, strength, detector)
        clean = self._answers(detector, CLEAN, None, "").loc[found.index]
        fake, right = clean["forgery"] != PRISTINE, ~_wrong(clean)
        probability, source = pd.Series(expit(found["logit"])), clean["source"]
        return Point(
            detector=detector,
            attack=attack,
            strength=float(found["strength"].mean()),
            psnr_db=self._mean(found["psnr_db"], source),
            changed=self._mean(found["pixels_changed"] / found["pixels"], source),
            fakes=self._mean(probability[fake], source[fake]),
            pristine=self._mean(probability[~fake], source[~fake]),
            success=self._mean(_wrong(found)[right], source[right]),
            right=int(right.sum()),
        )

    def _beside(self, knows: str, detector: str, of: str) -> Beside:
        clean = self._answers(detector, CLEAN, None, "")
        fake = clean["forgery"] != PRISTINE
        kept = ~_wrong(clean) & {"all": fake | True, "fakes": fake, "pristine": ~fake}[of]
        names, source = clean.index[kept], clean.loc[kept, "source"]
        trip = self._answers(detector, ROUND_TRIP, None, "").loc[names]
        gradient = self._answers(detector, EQUAL_PSNR, None, knows).loc[names]
        more = _wrong(gradient).astype(int) - _wrong(trip).astype(int)
        changed = np.isfinite(trip["psnr_db"]) & np.isfinite(gradient["psnr_db"])
        apart = (gradient["psnr_db"] - trip["psnr_db"])[changed].abs()
        return Beside(
            knows=knows,
            detector=detector,
            of=of,
            right=int(kept.sum()),
            psnr_db=self._mean(trip["psnr_db"], source),
            apart_db=float(apart.max()) if len(apart) else 0.0,
            round_trip=self._mean(_wrong(trip), source),
            gradient=self._mean(_wrong(gradient), source),
            more=self._mean(more, source),
            p_value=paired_p(more.groupby(source).sum().to_numpy(np.float64), self.seed),
            as_much_db=self._as_much(detector) if of == "all" and knows == detector else None,
        )

    def _as_much(self, detector: str) -> Estimate | None:
        """On the crops that were attacked at every strength."""
        own = [one for one in self.points if (one.detector, one.attack) == (detector, PGD_L2)]
        if not own:
            return None
        names = self._answers(detector, PGD_L2, own[0].strength, detector).index
        right = ~_wrong(self._answers(detector, CLEAN, None, "").loc[names])
        trip = _wrong(self._answers(detector, ROUND_TRIP, None, "").loc[names])[right].mean()
        return next((one.psnr_db for one in own if one.success.value >= trip), None)


def read_white_box(folder: Path) -> WhiteBoxResults:
    """Read a finished study.

    Raises:
        SettingsError: the folder holds none, or none of its crops could be attacked.
    """
    try:
        rows = pd.read_parquet(folder / SCORES)
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        seed = int(manifest["plan"]["seed"])
    except (OSError, KeyError, TypeError, ValueError):
        raise SettingsError(
            "A folder with a finished study of white-box attacks was expected, but it holds none. "
            "Run the study to its end first."
        ) from None
    if rows.empty:
        raise SettingsError(
            "A study with one or more attacked crops was expected, but all were refused. Its "
            "manifest says why."
        )
    return WhiteBoxResults(rows, manifest, seed)


def _wrong(rows: pd.DataFrame) -> pd.Series:
    """Of which rows the verdict is wrong."""
    called: Flags = (rows["logit"] >= logit(rows["threshold"])).to_numpy()
    return pd.Series(called != (rows["forgery"] != PRISTINE).to_numpy(), index=rows.index)


def _kinds(results: WhiteBoxResults) -> tuple[str, ...]:
    """The classes that the crops have, where they have both."""
    both = results.rows["forgery"].eq(PRISTINE).nunique() == 2
    return ("fakes", "pristine") if both else ()
