"""Forward models: what sensors would record. Formulas and sources are in each function."""

from . import head_arrays, heads
from .axial_bodies import cylinder_relaxation, shell_relaxation, spheroid_relaxation
from .bodies import ring_relaxation, sphere_polarizability, sphere_poles, sphere_relaxation
from .coil import loop_field
from .conductive_soil import conductive_flux, late_conductive_voltage
from .decay_laws import PasionOldenburg, SmithMorrisonBecker, VoltageLaw, fit_decay_law
from .detector_soils import DetectorSoil, detector_soil, soil_class
from .emi import array_response, continuous_wave_response, pulse_tensors, pulse_voltage
from .envelope import demodulate
from .finite_layers import finite_reflection, surface_echoes
from .gpr import radar_spectra, radar_traces
from .ground_image import image_flux, image_inductance
from .ground_table import GroundTable, tabulate_ground
from .inductance import mutual_inductance, self_inductance, winding_inductance
from .magnetic_soil import soil_pulse_voltage, soil_wave_response
from .metal_parts import (
    ALUMINIUM,
    BRASS,
    COPPER,
    STAINLESS,
    STEEL,
    Metal,
    can,
    capsule,
    cartridge_case,
    coin,
    foil,
    nail,
    wire_loop,
)
from .near_field import direct_ratio, flat_bounce, near_field_ratio
from .patchy_soil import GroundWeights, ground_weights
from .polarizability_fit import PolarizabilityFit, PolarizabilitySpectrum, fit_polarizability
from .pose import attitude, rotation_onto
from .pulse import gate_factors, step_off_coefficients
from .radar_band import bounce_radius, radar_frequencies, ricker_spectrum
from .radar_bodies import disc_facets, rectangle_facets, rod_body, sphere_body, volume_cells
from .radar_scene import AntennaPattern, Scatterers, join_scatterers, no_scatterers
from .random_field import FourierField, gaussian_field
from .refraction import Rays, geometry_factor, trace_rays
from .relaxation import Absence, Relaxation, combine_axes
from .round_bodies import cylinder_length, sphere_length
from .scatter import facet_length, layered_reflection, volume_cell
from .soil import (
    debye_permittivity,
    peplinski_conductivity,
    peplinski_permittivity,
    water_permittivity,
    wavenumber,
)
from .surface import Surface
from .tones import tones_to_time
from .viscosity import void_relaxation, vrm_relaxation, vrm_susceptibility
from .winding import circle_polygon, mirrored, moved, winding_field

__all__ = [
    "ALUMINIUM",
    "BRASS",
    "COPPER",
    "STAINLESS",
    "STEEL",
    "Absence",
    "AntennaPattern",
    "DetectorSoil",
    "FourierField",
    "GroundTable",
    "GroundWeights",
    "Metal",
    "PasionOldenburg",
    "PolarizabilityFit",
    "PolarizabilitySpectrum",
    "Rays",
    "Relaxation",
    "Scatterers",
    "SmithMorrisonBecker",
    "Surface",
    "VoltageLaw",
    "array_response",
    "attitude",
    "bounce_radius",
    "can",
    "capsule",
    "cartridge_case",
    "circle_polygon",
    "coin",
    "combine_axes",
    "conductive_flux",
    "continuous_wave_response",
    "cylinder_length",
    "cylinder_relaxation",
    "debye_permittivity",
    "demodulate",
    "detector_soil",
    "direct_ratio",
    "disc_facets",
    "facet_length",
    "finite_reflection",
    "fit_decay_law",
    "fit_polarizability",
    "flat_bounce",
    "foil",
    "gate_factors",
    "gaussian_field",
    "geometry_factor",
    "ground_weights",
    "head_arrays",
    "heads",
    "image_flux",
    "image_inductance",
    "join_scatterers",
    "late_conductive_voltage",
    "layered_reflection",
    "loop_field",
    "mirrored",
    "moved",
    "mutual_inductance",
    "nail",
    "near_field_ratio",
    "no_scatterers",
    "peplinski_conductivity",
    "peplinski_permittivity",
    "pulse_tensors",
    "pulse_voltage",
    "radar_frequencies",
    "radar_spectra",
    "radar_traces",
    "rectangle_facets",
    "ricker_spectrum",
    "ring_relaxation",
    "rod_body",
    "rotation_onto",
    "self_inductance",
    "shell_relaxation",
    "soil_class",
    "soil_pulse_voltage",
    "soil_wave_response",
    "sphere_body",
    "sphere_length",
    "sphere_polarizability",
    "sphere_poles",
    "sphere_relaxation",
    "spheroid_relaxation",
    "step_off_coefficients",
    "surface_echoes",
    "tabulate_ground",
    "tones_to_time",
    "trace_rays",
    "void_relaxation",
    "volume_cell",
    "volume_cells",
    "vrm_relaxation",
    "vrm_susceptibility",
    "water_permittivity",
    "wavenumber",
    "winding_field",
    "winding_inductance",
    "wire_loop",
]
