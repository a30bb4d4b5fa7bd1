"""Stages for ground-penetrating radar."""

from ..along_track import RemoveMedianBackground, Whiten, remove_median_background, whiten
from ..background import RemoveBackground, remove_background
from ..resampling import ResampleTrack, resample_track
from ..sliding_mean import RemoveMeanBackground, remove_mean_background
from .anomaly import PrescreenAnomaly, prescreen_anomaly
from .attributes import (
    Envelope,
    envelope,
    instantaneous_frequency,
    instantaneous_phase,
)
from .back_projection import Image, back_project
from .bank import template_bank
from .blob import BLOB_FEATURES, blob_features
from .bounce import Bounce, NoteBounce
from .clipping import Declip, declip
from .context import CONTEXT_FEATURES, bounce_permittivity, context_features
from .continuation import phase_shift
from .depth_peaks import DEPTH_PEAK_FEATURES, depth_peak_features
from .display import PrepareDisplay, prepare_display
from .echo_shapes import EchoShapes, PatchForm, echo_patches, fit_echo_shapes
from .edge_histogram import EDGE_HISTOGRAM_FEATURES, edge_histogram_features
from .energy_spectrum import ENERGY_SPECTRUM_FEATURES, energy_spectrum_features
from .features import FEATURES, radar_features
from .flattening import FlattenSpectrum, flatten_spectrum
from .focused import FOCUSED_FEATURES, focused_features
from .focusing import Focus, focus
from .gain import CompensateLoss, Equalise, compensate_loss, equalise, loss_rate
from .gradient_histogram import (
    GRADIENT_HISTOGRAM_FEATURES,
    gradient_histogram,
    gradient_histogram_features,
)
from .ground import AlignGround, align_ground, track_ground
from .height import LevelHeight, antenna_heights, level_height
from .hyperbola import HyperbolaFit, fit_hyperbola
from .hyperbola_features import HYPERBOLA_FEATURES, hyperbola_features
from .matched import PrescreenTemplates, prescreen_templates
from .migration import kirchhoff, stolt
from .prediction import PrescreenPrediction, prescreen_prediction
from .preprocess import BandPass, Dewow, band_pass, dewow
from .prescreen import PrescreenEnergy, cell_averaging_factor, prescreen_energy
from .sequences import (
    EDGE_OBSERVATIONS,
    edge_sequences,
    sequence_names,
    sequence_rows,
    sequence_shape,
)
from .shape_prescreen import PrescreenShapes, prescreen_shapes
from .sharpness import Sharpness, sharpest_permittivity
from .spectral_correlation import (
    SPECTRAL_CORRELATION_FEATURES,
    spectral_correlation_features,
    spectral_prototypes,
)
from .spikes import Despike, despike
from .subspace import LowRankRemoval, SubspaceRemoval, remove_low_rank, remove_subspace
from .texture import TEXTURE_FEATURES, texture_features
from .time_zero import AlignTimeZero, align_time_zero
from .tones import TracesFromTones, traces_from_tones
from .two_way import prescreen_prediction_two_way
from .volume import Volume, back_project_volume

__all__ = [
    "BLOB_FEATURES",
    "CONTEXT_FEATURES",
    "DEPTH_PEAK_FEATURES",
    "EDGE_HISTOGRAM_FEATURES",
    "EDGE_OBSERVATIONS",
    "ENERGY_SPECTRUM_FEATURES",
    "FEATURES",
    "FOCUSED_FEATURES",
    "GRADIENT_HISTOGRAM_FEATURES",
    "HYPERBOLA_FEATURES",
    "SPECTRAL_CORRELATION_FEATURES",
    "TEXTURE_FEATURES",
    "AlignGround",
    "AlignTimeZero",
    "BandPass",
    "Bounce",
    "CompensateLoss",
    "Declip",
    "Despike",
    "Dewow",
    "EchoShapes",
    "Envelope",
    "Equalise",
    "FlattenSpectrum",
    "Focus",
    "HyperbolaFit",
    "Image",
    "LevelHeight",
    "LowRankRemoval",
    "NoteBounce",
    "PatchForm",
    "PrepareDisplay",
    "PrescreenAnomaly",
    "PrescreenEnergy",
    "PrescreenPrediction",
    "PrescreenShapes",
    "PrescreenTemplates",
    "RemoveBackground",
    "RemoveMeanBackground",
    "RemoveMedianBackground",
    "ResampleTrack",
    "Sharpness",
    "SubspaceRemoval",
    "TracesFromTones",
    "Volume",
    "Whiten",
    "align_ground",
    "align_time_zero",
    "antenna_heights",
    "back_project",
    "back_project_volume",
    "band_pass",
    "blob_features",
    "bounce_permittivity",
    "cell_averaging_factor",
    "compensate_loss",
    "context_features",
    "declip",
    "depth_peak_features",
    "despike",
    "dewow",
    "echo_patches",
    "edge_histogram_features",
    "edge_sequences",
    "energy_spectrum_features",
    "envelope",
    "equalise",
    "fit_echo_shapes",
    "fit_hyperbola",
    "flatten_spectrum",
    "focus",
    "focused_features",
    "gradient_histogram",
    "gradient_histogram_features",
    "hyperbola_features",
    "instantaneous_frequency",
    "instantaneous_phase",
    "kirchhoff",
    "level_height",
    "loss_rate",
    "phase_shift",
    "prepare_display",
    "prescreen_anomaly",
    "prescreen_energy",
    "prescreen_prediction",
    "prescreen_prediction_two_way",
    "prescreen_shapes",
    "prescreen_templates",
    "radar_features",
    "remove_background",
    "remove_low_rank",
    "remove_mean_background",
    "remove_median_background",
    "remove_subspace",
    "resample_track",
    "sequence_names",
    "sequence_rows",
    "sequence_shape",
    "sharpest_permittivity",
    "spectral_correlation_features",
    "spectral_prototypes",
    "stolt",
    "template_bank",
    "texture_features",
    "traces_from_tones",
    "track_ground",
    "whiten",
]
