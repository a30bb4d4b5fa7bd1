"""What is assumed of a task before its finds are looked at: priors, stated in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .._validation import (
    check_count,
    check_one_of,
    check_positive,
    check_probability,
)
from ..minefield_records import MARGIN
from ..sweep import Floats
from .assets import COMMON_MODE
from .gamma_poisson import outside_inside_ratio
from .records import RecordPrior, RecordVisit, UncertainRecord, check_records
from .site_grid import SiteGrid, check_bands, check_classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """
    Items outside all records: a gamma law of their density, everywhere and never zero.

    Raises
    ------
    TypeError, ValueError
        If a figure is not greater than zero.
    """

    mean: float  #: items per m2
    shape: float = 0.5  #: of the gamma law; 1 / shape is the squared relative spread
    source: str = "unverified assumption"

    def __post_init__(self) -> None:
        check_positive(self.mean, "mean")
        check_positive(self.shape, "shape")

    @property
    def gamma(self) -> tuple[float, float]:
        """Shape, and rate in m2."""
        return self.shape, self.shape / self.mean

    def times(self, factor: float) -> Background:
        """Return the same law around another mean."""
        return Background(mean=self.mean * factor, shape=self.shape, source=self.source)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExposureLayer:
    """
    Where people spend their time: the layer without which incidents tell nothing.

    Raises
    ------
    TypeError, ValueError
        If a figure is negative or not finite, none is greater than zero, or no source is
        named.
    """

    person_hours: Floats  #: (n_rows, n_columns) per m2, in the period of the incidents
    source: str

    def __post_init__(self) -> None:
        values = np.array(self.person_hours, dtype=np.float64)
        if values.ndim != 2 or not np.isfinite(values).all() or (values < 0).any():
            msg = "Invalid person_hours. Must be a grid of figures, zero or more."
            raise ValueError(msg)
        if not values.any():
            msg = "Invalid person_hours: all are zero. Must tell where people are."
            raise ValueError(msg)
        if not self.source:
            msg = "Invalid source ''. Must name where the exposure comes from."
            raise ValueError(msg)
        values.setflags(write=False)
        object.__setattr__(self, "person_hours", values)


def background_from_incidents(
    grid: SiteGrid,
    records: Sequence[UncertainRecord],
    *,
    incident_share: float,
    exposure: ExposureLayer | None,
    expected_per_record: float = 0.5,
    ratio_factor: float = 1.0,
    shape: float = 0.5,
) -> Background:
    r"""
    Return a background law from the share of incidents that happened outside all records.

    Parameters
    ----------
    grid : SiteGrid
        The task, or the district that the incidents are from.
    records : sequence of UncertainRecord
        Its records.
    incident_share : float
        Share of incidents outside all records, between 0 and 1.
    exposure : ExposureLayer or None
        Of the same grid. None is refused.
    expected_per_record : float
        Items really inside per item recorded (unverified).
    ratio_factor : float
        Times this for the ratio of the exposures; report 0.1, 1 and 10.
    shape : float
        Of the gamma law.

    Returns
    -------
    background : Background
        With mean :math:`\lambda_{out} = \frac{f}{1 - f} \frac{E_{in}}{E_{out}}
        \frac{\lambda_{in} A_{in}}{A_{out}}`.

    Raises
    ------
    TypeError, ValueError
        If there is no exposure layer or no record, no ground outside the records, or a
        figure is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import SiteGrid, background_from_incidents
    >>> grid = SiteGrid(origin=(0.0, 0.0), cell=1.0, shape=(20, 30))
    >>> background_from_incidents(grid, [], incident_share=0.55, exposure=None)
    Traceback (most recent call last):
    ValueError: Invalid exposure None. Must be an ExposureLayer: without one, incidents ...
    """
    if exposure is None:
        msg = (
            "Invalid exposure None. Must be an ExposureLayer: without one, incidents outside "
            "the records say nothing of items outside: people keep away from marked ground."
        )
        raise ValueError(msg)
    hours = grid.check_layer(exposure.person_hours, "person_hours")
    inside = np.zeros(grid.shape, bool)
    east, north = grid.centres()
    n_items = 0
    for item in records:
        paper = item.record
        n_items += paper.number
        sin, cos = math.sin(paper.heading), math.cos(paper.heading)
        de, dn = east - paper.easting, north - paper.northing
        along = np.maximum(0.0, np.abs(de * sin + dn * cos) - paper.length / 2)
        across = np.maximum(0.0, np.abs(de * cos - dn * sin) - paper.width / 2)
        inside |= np.hypot(along, across) <= MARGIN
    inside &= grid.wanted
    outside = ~inside & grid.wanted
    if not inside.any() or not outside.any():
        msg = "Invalid records. Must leave ground of the task both inside and outside of them."
        raise ValueError(msg)
    ratio = outside_inside_ratio(
        incident_share,
        exposure_inside=float(hours[inside].mean()),
        exposure_outside=float(hours[outside].mean()),
    )
    expected = n_items * check_positive(expected_per_record, "expected_per_record")
    area = float(np.count_nonzero(outside)) * grid.cell_area
    factor = check_positive(ratio_factor, "ratio_factor")
    return Background(
        mean=ratio * factor * expected / area,
        shape=shape,
        source=f"incidents outside records, exposure by {exposure.source}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrecordedStrips:
    """
    Rows or strips that no record tells of, which finds may reveal: a weak prior.

    It holds no doctrine: any heading, any place. Where there are records of the class, number,
    length and scatter are the medians of theirs instead. Defaults are unverified assumptions.

    Raises
    ------
    TypeError, ValueError
        If a count is negative or a figure not greater than zero.
    """

    most: int = 8  #: in the task, of each class
    presence: tuple[float, float] = (1.0, 4.0)  #: Beta law of the share that exists
    number: float = 20.0  #: median items, where no record tells
    number_spread: float = 1.0  #: of its logarithm
    length: float | None = None  #: m, median; by default half the diagonal of the task
    length_spread: float = 0.7  #: of its logarithm
    scatter: float = 0.75  #: m, standard deviation across, at least

    def __post_init__(self) -> None:
        check_count(self.most, "most", least=0)
        for value in self.presence:
            check_positive(value, "presence")
        for name in ("number", "number_spread", "length_spread", "scatter"):
            check_positive(getattr(self, name), name)
        if self.length is not None:
            check_positive(self.length, "length")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteModel:
    """
    The task and all that is assumed of it before the finds.

    Raises
    ------
    TypeError, ValueError
        If classes or bands are not valid, a class has no background, a record is of another
        coordinate system or class, or a layer of another shape.

    Examples
    --------
    >>> from minesense.evidence import Background, SiteGrid, SiteModel
    >>> model = SiteModel(
    ...     grid=SiteGrid(origin=(0.0, 0.0), cell=1.0, shape=(20, 30)),
    ...     classes=("AP",), depth_bands=((0.0, 0.13),),
    ...     background={"AP": Background(mean=0.001)},
    ... )
    >>> model.depth_shares.tolist()
    [[1.0]]
    """

    grid: SiteGrid
    classes: tuple[str, ...]
    depth_bands: tuple[tuple[float, float], ...]  #: m
    background: Mapping[str, Background]  #: by class
    depth_shares: Floats = None  # type: ignore[assignment]  #: by class and band; equal
    relative: Floats = None  # type: ignore[assignment]  #: covariate factor of the background; 1
    records: tuple[UncertainRecord, ...] = ()
    record_prior: RecordPrior = field(default_factory=RecordPrior)
    visits: tuple[RecordVisit, ...] = ()
    unrecorded: UnrecordedStrips = field(default_factory=UnrecordedStrips)
    patch: float = 25.0  #: m, side of the squares between which the background varies
    floor: float = COMMON_MODE  #: least share of items that all searches together miss

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "classes", check_classes(self.classes))
        put(self, "depth_bands", check_bands(self.depth_bands))
        for name in self.classes:
            check_one_of(name, "class without a background", self.background)
        shape = (len(self.classes), len(self.depth_bands))
        shares = (
            np.full(shape, 1 / shape[1]) if self.depth_shares is None else self.depth_shares
        )
        shares = np.array(shares, dtype=np.float64)
        is_share = shares.shape == shape and np.isfinite(shares).all() and (shares > 0).all()
        if not is_share or np.abs(shares.sum(axis=1) - 1).max() > 1e-6:
            msg = (
                f"Invalid depth_shares {shares.tolist()}. Must be {shape}, each greater than "
                "zero, those of a class adding up to 1."
            )
            raise ValueError(msg)
        put(self, "depth_shares", shares)
        relative = np.ones(self.grid.shape) if self.relative is None else self.relative
        relative = self.grid.check_layer(relative, "relative")
        if not (relative[self.grid.wanted] > 0).all():
            msg = "Invalid relative: a cell is zero. Must be greater: items may be anywhere."
            raise ValueError(msg)
        put(self, "relative", relative)
        put(self, "records", check_records(self.records, self.classes))
        for item in self.records:
            self.grid.check_frame(item.crs, f"record '{item.sheet}'")
        sources = {item.source for item in self.records}
        for visit in self.visits:
            check_one_of(visit.source, "source of a visit", sources or {visit.source})
        check_positive(self.patch, "patch")
        check_probability(self.floor, "floor")
