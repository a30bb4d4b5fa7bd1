"""
How real SYNTHETIC ground is: statistics of sweeps, the same for recordings and simulations.

Every function takes arrays alone and knows nothing of the truth. Where the data are too few
for a figure, there is a :class:`Missing` with the reason and no number. To be like a recording
in these figures is necessary for a simulator, and says nothing about performance in the field.
"""

from .alarms import FalseAlarms, false_alarms
from .bounce import BounceJitter, bounce_jitter
from .coils import SoilSeries, gate_noise, quadrature_ratio, soil_series
from .comparison import Between, Comparison, Word, compare, compare_pairs
from .decays import DecayExponent, metal_exponent, soil_exponent
from .fading import Fading, banding, fading
from .figures import Figure, coil_figures, radar_figures
from .kept import LEAST_TRACES, LEFT_OUT, rows_of
from .missing import Missing, TooFewError, told
from .noise import noise_floor
from .patches import FEATURES, Patches, TwoSample, patches, tell_apart
from .rank import COUNTS, SingularValues, singular_values
from .section import (
    SLICES,
    Arrivals,
    RadarSection,
    find_arrivals,
    path_difference,
    radar_section,
)
from .spectra import Spectra, Spectrum, mean_spectrum, spectra
from .statistics import CoilStatistics, RadarStatistics, coil_statistics, radar_statistics
from .stretches import (
    COUPLED_HEIGHT,
    carrier_like,
    coil_carrier_like,
    empty_ground,
    is_soil,
    reach_of,
    scaled_errors,
)
from .tails import (
    SHARES,
    AmplitudeLaw,
    amplitude_laws,
    envelope,
    k_texture,
    ks_distance,
    level_envelope,
    weibull_shape,
)
from .variogram import Variogram, along, semivariogram, variograms

__all__ = [
    "COUNTS",
    "COUPLED_HEIGHT",
    "FEATURES",
    "LEAST_TRACES",
    "LEFT_OUT",
    "SHARES",
    "SLICES",
    "AmplitudeLaw",
    "Arrivals",
    "Between",
    "BounceJitter",
    "CoilStatistics",
    "Comparison",
    "DecayExponent",
    "Fading",
    "FalseAlarms",
    "Figure",
    "Missing",
    "Patches",
    "RadarSection",
    "RadarStatistics",
    "SingularValues",
    "SoilSeries",
    "Spectra",
    "Spectrum",
    "TooFewError",
    "TwoSample",
    "Variogram",
    "Word",
    "along",
    "amplitude_laws",
    "banding",
    "bounce_jitter",
    "carrier_like",
    "coil_carrier_like",
    "coil_figures",
    "coil_statistics",
    "compare",
    "compare_pairs",
    "empty_ground",
    "envelope",
    "fading",
    "false_alarms",
    "find_arrivals",
    "gate_noise",
    "is_soil",
    "k_texture",
    "ks_distance",
    "level_envelope",
    "mean_spectrum",
    "metal_exponent",
    "noise_floor",
    "patches",
    "path_difference",
    "quadrature_ratio",
    "radar_figures",
    "radar_section",
    "radar_statistics",
    "reach_of",
    "rows_of",
    "scaled_errors",
    "semivariogram",
    "singular_values",
    "soil_exponent",
    "soil_series",
    "spectra",
    "tell_apart",
    "told",
    "variograms",
    "weibull_shape",
]
