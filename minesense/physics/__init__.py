"""Forward models: what sensors would record. Formulas and sources are in each function."""

from .bodies import ring_relaxation, sphere_polarizability, sphere_poles, sphere_relaxation
from .coil import loop_field, mutual_inductance
from .emi import continuous_wave_response, pulse_tensors, pulse_voltage
from .magnetic_soil import (
    image_flux,
    soil_pulse_voltage,
    void_relaxation,
    vrm_relaxation,
    vrm_susceptibility,
)
from .pulse import gate_factors, step_off_coefficients
from .relaxation import Relaxation, combine_axes

__all__ = [
    "Relaxation",
    "combine_axes",
    "continuous_wave_response",
    "gate_factors",
    "image_flux",
    "loop_field",
    "mutual_inductance",
    "pulse_tensors",
    "pulse_voltage",
    "ring_relaxation",
    "soil_pulse_voltage",
    "sphere_polarizability",
    "sphere_poles",
    "sphere_relaxation",
    "step_off_coefficients",
    "void_relaxation",
    "vrm_relaxation",
    "vrm_susceptibility",
]
