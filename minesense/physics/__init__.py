"""Forward models: what sensors would record. Formulas and sources are in each function."""

from .bodies import ring_relaxation, sphere_polarizability, sphere_poles, sphere_relaxation
from .coil import loop_field, mutual_inductance
from .emi import continuous_wave_response, pulse_tensors, pulse_voltage
from .gpr import radar_traces
from .magnetic_soil import (
    image_flux,
    soil_pulse_voltage,
    void_relaxation,
    vrm_relaxation,
    vrm_susceptibility,
)
from .pulse import gate_factors, step_off_coefficients
from .radar_band import bounce_radius, radar_frequencies, ricker_spectrum
from .radar_bodies import disc_facets, rectangle_facets, sphere_body, volume_cells
from .radar_scene import Scatterers, Surface, join_scatterers, no_scatterers
from .random_field import FourierField, gaussian_field
from .refraction import (
    Rays,
    geometry_factor,
    trace_rays,
)
from .relaxation import Relaxation, combine_axes
from .scatter import (
    facet_length,
    layered_reflection,
    metal_sphere,
    small_body,
    volume_cell,
)
from .soil import (
    peplinski_permittivity,
    water_permittivity,
    wavenumber,
)

__all__ = [
    "FourierField",
    "Rays",
    "Relaxation",
    "Scatterers",
    "Surface",
    "bounce_radius",
    "combine_axes",
    "continuous_wave_response",
    "disc_facets",
    "facet_length",
    "gate_factors",
    "gaussian_field",
    "geometry_factor",
    "image_flux",
    "join_scatterers",
    "layered_reflection",
    "loop_field",
    "metal_sphere",
    "mutual_inductance",
    "no_scatterers",
    "peplinski_permittivity",
    "pulse_tensors",
    "pulse_voltage",
    "radar_frequencies",
    "radar_traces",
    "rectangle_facets",
    "ricker_spectrum",
    "ring_relaxation",
    "small_body",
    "soil_pulse_voltage",
    "sphere_body",
    "sphere_polarizability",
    "sphere_poles",
    "sphere_relaxation",
    "step_off_coefficients",
    "trace_rays",
    "void_relaxation",
    "volume_cell",
    "volume_cells",
    "vrm_relaxation",
    "vrm_susceptibility",
    "water_permittivity",
    "wavenumber",
]
