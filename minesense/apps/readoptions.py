"""Options of readers and writers on the command line, as NAME=VALUE."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any


def parse_options(texts: Sequence[str], name: str) -> dict[str, Any]:
    """
    Return options given as NAME=VALUE.

    Parameters
    ----------
    texts : sequence of str
        VALUE is JSON where it parses as that, text otherwise.
    name : str
        Of the option on the command line, for messages.

    Returns
    -------
    options : dict
        By name.

    Raises
    ------
    ValueError
        If one has no name, or the same name comes twice.

    Examples
    --------
    >>> parse_options(["component=Ez", "spacing=0.02", "strict=true"], "--option")
    {'component': 'Ez', 'spacing': 0.02, 'strict': True}
    """
    options: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not key.isidentifier() or key in options:
            msg = f"Invalid {name} '{text}'. Must be NAME=VALUE, each name once."
            raise ValueError(msg)
        try:
            options[key] = json.loads(value)
        except (ValueError, RecursionError):
            options[key] = value
    return options


def call_with(function: Callable[..., Any], *given: Any, options: dict[str, Any]) -> Any:
    """
    Call a reader or writer with options of the command line.

    Parameters
    ----------
    function : callable
        To call.
    *given : object
        What it takes first.
    options : dict
        Of :func:`parse_options`.

    Returns
    -------
    result : object
        Of the call.

    Raises
    ------
    ValueError
        Also where the function raises TypeError for an option that is unknown to it or of
        another type.
    """
    try:
        return function(*given, **options)
    except TypeError as error:
        if not options:
            raise
        words = str(error).rpartition("() ")[2] or str(error)
        if words.startswith("Invalid "):
            raise ValueError(words) from None
        msg = f"Invalid options {sorted(options)}: {words}"
        raise ValueError(msg) from None
