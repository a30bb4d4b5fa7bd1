"""
Objects that a synthetic field may hold, by what matters to a sensor.

Outer size, permittivity, metal and depth, nothing else: no content, fuze or emplacement
data. Sizes and permittivities with a citation were read in the model files named there;
entries with ``citation=None`` still want one, and reports print that.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._validation import check_one_of

_MODELS = (
    "Giannakis, Giannopoulos & Warren (2016), IEEE JSTARS, doi:10.1109/JSTARS.2015.2468597 "
    "(size and permittivity of the model)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """
    One entry of the catalogue.

    The body is a disc, or a box where `width` differs from `length`, of horizontal layers.
    Its metal is drawn from its class by :func:`minesense.synthetic.metal.surrogate`.
    """

    identifier: str
    length: float  #: m, diameter of a disc
    width: float  #: m, equal to `length` for a disc
    height: float  #: m
    layers: tuple[tuple[float, float], ...]  #: (relative permittivity, share of height)
    metal_class: str  #: of truth.METAL_CLASSES
    has_metal_case: bool = False
    deepest: float  #: m, greatest depth of the top at which fields hold it
    is_test_piece: bool = False
    metal_diameter: float | None = None  #: m, of an exact metal sphere (test pieces)
    citation: str | None = None

    @property
    def diameter(self) -> float:
        """Horizontal extent: the diameter, or the longer side."""
        return max(self.length, self.width)

    @property
    def is_disc(self) -> bool:
        """Whether the outline is round."""
        return self.length == self.width and not self.identifier.startswith("ts50")


_PLASTIC = ((2.8, 1.0),)  # filling and case of unmeasured bodies; 2.8 is unverified
_METAL: tuple[tuple[float, float], ...] = ()


def _disc(
    identifier: str, diameter: float, height: float, metal_class: str, deepest: float
) -> Body:
    """Return a plastic disc of one layer whose figures have no citation yet."""
    return Body(
        identifier=identifier,
        length=diameter,
        width=diameter,
        height=height,
        layers=_PLASTIC,
        metal_class=metal_class,
        deepest=deepest,
    )


def _case(identifier: str, diameter: float, height: float, deepest: float) -> Body:
    """Return a body in a metal case whose figures have no citation yet."""
    return Body(
        identifier=identifier,
        length=diameter,
        width=diameter,
        height=height,
        layers=_METAL,
        metal_class="high",
        has_metal_case=True,
        deepest=deepest,
    )


def _ball(diameter: float) -> Body:
    """Return a steel ball, the parametric reference of detector tests."""
    return Body(
        identifier=f"ball_{1e3 * diameter:g}mm",
        length=diameter,
        width=diameter,
        height=diameter,
        layers=_METAL,
        metal_class="minimum" if diameter < 0.008 else "low",
        has_metal_case=True,
        deepest=0.15,
        is_test_piece=True,
        metal_diameter=diameter,
        citation="exact: Wait (1951), Wait & Spies (1969)",
    )


_BODIES = (
    Body(
        identifier="pmn",
        length=0.112,
        width=0.112,
        height=0.049,
        layers=((6.0, 0.1), (3.0, 0.2), (2.8, 0.5), (3.5, 0.2)),
        metal_class="medium",
        deepest=0.10,
        citation=_MODELS + "; diameter, filling and metal class unverified",
    ),
    _disc("pmn2", 0.120, 0.054, "low", 0.10),
    _disc("pmn4", 0.095, 0.042, "low", 0.10),
    Body(
        identifier="pma1",
        length=0.140,
        width=0.064,
        height=0.033,
        layers=((2.5, 0.3), (2.8, 0.5), (2.5, 0.2)),
        metal_class="minimum",
        deepest=0.10,
        citation=_MODELS + "; filling unverified",
    ),
    _disc("pma2", 0.068, 0.061, "minimum", 0.10),
    _disc("pma3", 0.104, 0.038, "minimum", 0.10),
    _disc("type72a", 0.078, 0.038, "minimum", 0.10),
    _disc("m14", 0.056, 0.040, "minimum", 0.05),
    Body(
        identifier="ts50",
        length=0.090,
        width=0.090,
        height=0.044,
        layers=((2.5, 0.2), (4.0, 0.2), (3.0, 0.4), (5.0, 0.2)),
        metal_class="minimum",
        deepest=0.10,
        citation=_MODELS,
    ),
    _case("prom1", 0.075, 0.260, 0.05),
    _case("ozm72", 0.108, 0.172, 0.05),
    _case("tm57", 0.316, 0.105, 0.20),
    _case("tm62m", 0.320, 0.128, 0.20),
    _disc("tm62p3", 0.320, 0.128, "low", 0.20),
    _ball(0.005),
    _ball(0.010),
    _ball(0.020),
    Body(
        identifier="simulant",
        length=0.100,
        width=0.100,
        height=0.050,
        layers=((2.8, 1.0),),
        metal_class="none",
        deepest=0.10,
        is_test_piece=True,
        citation="parametric: a disc without metal",
    ),
)

#: Every body by its identifier.
CATALOGUE: dict[str, Body] = {body.identifier: body for body in _BODIES}


def body(identifier: str) -> Body:
    """
    Return one entry of the catalogue.

    Parameters
    ----------
    identifier : str
        Name of the entry, for example ``"pmn"``.

    Returns
    -------
    body : Body
        Its size, layers and metal class.

    Raises
    ------
    ValueError
        If there is no such entry.

    Examples
    --------
    >>> from minesense.synthetic import body
    >>> body("ts50").diameter, body("ts50").metal_class
    (0.09, 'minimum')
    """
    return CATALOGUE[check_one_of(identifier, "identifier", CATALOGUE)]
