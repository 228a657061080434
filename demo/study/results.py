"""The rows of a finished study as arrays: one answer for each sample, condition and detector."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from demo.core.defences import Defence
from demo.core.errors import SettingsError
from demo.study.detectors import full_name
from demo.study.measuring import CLEAN, JPEG, PGD
from demo.study.rates import Judged
from demo.study.samples import PRISTINE


@dataclass(frozen=True)
class Results:
    """A study's rows.

    Attributes:
        rows: the columns of ``measuring.Row``, in the order of the samples.
    """

    rows: pd.DataFrame

    @cached_property
    def detectors(self) -> tuple[str, ...]:
        """The detectors in the order asked, each by its ``full_name``."""
        return tuple(self._full_names.unique())

    @cached_property
    def forgeries(self) -> tuple[str, ...]:
        """The manipulation methods, without the pristine pictures."""
        return tuple(one for one in self.rows["forgery"].unique() if one != PRISTINE)

    def forgeries_of(self, detector: str) -> tuple[str, ...]:
        """Those of ``forgeries`` that a detector was asked about."""
        asked = self.rows.loc[self._full_names == detector, "forgery"].unique()
        return tuple(one for one in self.forgeries if one in asked)

    def name_of(self, detector: str) -> str:
        """The name on a detector's card."""
        return str(self.rows.loc[self._full_names == detector, "detector"].iloc[0])

    @cached_property
    def round_trips(self) -> tuple[tuple[str, float], ...]:
        """(method, K) of every attack, in the order asked."""
        asked = self.rows.loc[self.rows["method"] != CLEAN, ["method", "k"]].drop_duplicates()
        return tuple(asked.itertuples(index=False, name=None))

    def answers(self, detector: str, method: str, k: float, forgery: str | None) -> pd.DataFrame:
        """The rows of one detector and condition, one a sample.

        Args:
            detector: one of ``detectors``.
            method: who restored, or ``measuring.CLEAN``.
            k: scale factor; 1 for clean.
            forgery: fakes of this one and all pristine pictures; None for all.
        """
        rows = self.rows
        wanted = (self._full_names == detector) & (rows["method"] == method) & (rows["k"] == k)
        if forgery is not None:
            wanted &= rows["forgery"].isin([PRISTINE, forgery])
        return rows[wanted]

    def faces(self, method: str, k: float) -> pd.DataFrame:
        """The rows of one condition, one a sample, for what is the same for every detector."""
        rows = self.rows
        return rows[(rows["method"] == method) & (rows["k"] == k)].drop_duplicates("sample")

    def judged(
        self, detector: str, method: str, k: float, forgery: str | None, fakes_only: bool = False
    ) -> Judged:
        """What a detector says about clean or attacked samples.

        Args:
            detector: as for ``answers``, and so are the next three.
            method: who restored.
            k: scale factor.
            forgery: one, or all.
            fakes_only: leave the pristine pictures clean (the paper's second setup).

        Raises:
            SettingsError: there are no fakes, no pristine pictures, or one source alone.
        """
        found = self.answers(detector, method, k, forgery)
        fake = (found["forgery"] != PRISTINE).to_numpy()
        logit = found["logit"].to_numpy(np.float64)
        if fakes_only:
            clean = self.answers(detector, CLEAN, 1.0, forgery)["logit"].to_numpy(np.float64)
            logit = np.where(fake, logit, clean)
        return judged_rows(found.assign(logit=logit))

    @cached_property
    def _full_names(self) -> pd.Series:
        named = map(full_name, self.rows["detector"], self.rows["trained_on"])
        return pd.Series(list(named), index=self.rows.index)


def judged_rows(found: pd.DataFrame) -> Judged:
    """What one detector says about samples, from its rows of one condition.

    Raises:
        SettingsError: there are no fakes, no pristine pictures, or one source alone.
    """
    threshold = float(found["threshold"].iloc[0]) if len(found) else 0.5
    return Judged(
        fake=(found["forgery"] != PRISTINE).to_numpy(),
        logit=found["logit"].to_numpy(np.float64),
        threshold=float(np.log(threshold / (1 - threshold))),
        source=pd.factorize(found["source"])[0],
    )


def read_results(folder: Path) -> Results:
    """Read a study's scores: what the plain detectors say, clean and after round trips.

    Raises:
        SettingsError: the folder holds no finished study.
    """
    rows = _read(folder)
    names = [one.name for one in asked_defences(folder)]
    plain = ~rows["detector"].isin(names) & ~rows["method"].isin([JPEG, PGD])
    return Results(rows[plain].reset_index(drop=True))


def read_all_results(folder: Path) -> Results:
    """Read everything that a study asked: the defences too, and under every attack.

    Raises:
        SettingsError: as ``read_results``.
    """
    return Results(_read(folder))


def asked_defences(folder: Path) -> tuple[Defence, ...]:
    """The defences that a study asked, by its manifest; none where it asked none."""
    try:
        said = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return tuple(Defence(**one) for one in said.get("defences", []))
    except (OSError, ValueError, TypeError):
        return ()


def _read(folder: Path) -> pd.DataFrame:
    try:
        rows = pd.read_parquet(folder / "scores.parquet")
    except (OSError, ValueError):
        raise SettingsError(
            "A folder with a finished study was expected, but it holds no scores. Run the study "
            "to its end first."
        ) from None
    # Studies from before detectors could be trained on one forgery asked all of them about all.
    return rows if "trained_on" in rows else rows.assign(trained_on="")
