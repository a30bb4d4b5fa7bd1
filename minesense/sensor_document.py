"""A sensor as a document of plain numbers and words, for headers and links, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from ._plain_fields import check_fields
from .head import Circle, ContinuousWave, Head, Polygon, PulseTrain
from .sensor import Radar, Sensor

_RECORDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (Circle, ContinuousWave, Head, Polygon, PulseTrain, Radar, Sensor)
}

#: Numbers of an array in a document: hostile text cannot ask for more.
_MOST = 10_000_000


def sensor_document(sensor: Sensor) -> dict[str, Any]:
    """
    Return a sensor as a document that JSON can hold.

    Parameters
    ----------
    sensor : Sensor
        To describe.

    Returns
    -------
    document : dict
        Arrays as nested lists, records as objects that name their type. Written with the
        shortest decimals that give the same floats back, it is exact.

    Raises
    ------
    TypeError
        If it is not a Sensor.

    Examples
    --------
    >>> import numpy as np
    >>> radar = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-10], lever_arms=np.zeros((1, 3)))
    >>> sensor_document(radar)["axis"]
    [0.0, 1e-10]
    """
    if not isinstance(sensor, Sensor):
        msg = f"Invalid sensor of type {type(sensor).__name__}. Must be a Sensor."
        raise TypeError(msg)
    document = _plain(sensor)
    assert isinstance(document, dict)
    return document


def sensor_of(document: Mapping[str, Any]) -> Sensor:
    """
    Return the sensor that a document describes.

    Parameters
    ----------
    document : mapping
        Of :func:`sensor_document`, or one written from its description.

    Returns
    -------
    sensor : Sensor
        Equal to the one described, bit for bit.

    Raises
    ------
    TypeError, ValueError
        If the document is of something else, names an unknown field, or the sensor cannot be.

    Examples
    --------
    >>> sensor_of(
    ...     {"type": "Sensor", "name": "demo", "kind": "gpr", "axis": [0.0, 1e-10],
    ...      "lever_arms": [[0.0, 0.0, 0.0]]}
    ... ).shape
    (1, 2)
    """
    sensor = _record(document, "sensor")
    if not isinstance(sensor, Sensor):
        msg = f"Invalid sensor of type '{document.get('type')}'. Must be a Sensor."
        raise ValueError(msg)
    return sensor


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    if dataclasses.is_dataclass(value):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _record(document: Any, path: str) -> Any:
    """Return the record that a document describes; `path` names it in errors."""
    name = document.get("type") if isinstance(document, Mapping) else None
    kind = _RECORDS.get(name) if isinstance(name, str) else None
    if kind is None:
        msg = f"Invalid type '{name}' of {path}. Must be one of {', '.join(sorted(_RECORDS))}."
        raise ValueError(msg)
    check_fields(kind, {k: v for k, v in document.items() if k != "type"}, path)
    values = {
        key: _value(value, f"{path}.{key}") for key, value in document.items() if key != "type"
    }
    try:
        return kind(**values)
    except TypeError as error:
        msg = f"Invalid {path}: {' '.join(str(error).split())}"
        raise TypeError(msg) from None


def _value(value: Any, path: str) -> Any:
    """Return a field: a record, a tuple of records, an array, a word or a number."""
    if isinstance(value, Mapping):
        return _record(value, path)
    if not isinstance(value, list):
        return value
    if value and all(isinstance(item, Mapping) for item in value):
        return tuple(_record(item, f"{path}[{k}]") for k, item in enumerate(value))
    if len(value) > _MOST:
        msg = f"Invalid {path} of {len(value)} numbers. Must be at most {_MOST}."
        raise ValueError(msg)
    return value or ()  # no records and no numbers look alike
