"""
Maps that other programs open: coordinates of a site, layers, and files of them.

Needs the extra ``geo``; nothing of it is loaded before a map is made.
"""

from .field_map import FieldMap, MappedField, read_field_map, write_form_csv
from .geometry_checks import GeometryError, check_area_sum, check_layers
from .geopackage import write_geopackage
from .geotiff import write_geotiff
from .layers import Column, Layer, MapFeature, Surface, admit
from .map_frame import MapFrame, check_frames, check_heights
from .polygons import Patch, grid_patches
from .provenance import Provenance, Release
from .tables import write_layer_csv, write_layer_geojson

__all__ = [
    "Column",
    "FieldMap",
    "GeometryError",
    "Layer",
    "MapFeature",
    "MapFrame",
    "MappedField",
    "Patch",
    "Provenance",
    "Release",
    "Surface",
    "admit",
    "check_area_sum",
    "check_frames",
    "check_heights",
    "check_layers",
    "grid_patches",
    "read_field_map",
    "write_form_csv",
    "write_geopackage",
    "write_geotiff",
    "write_layer_csv",
    "write_layer_geojson",
]
