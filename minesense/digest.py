"""Fingerprints of what is written: canonical bytes and their SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

#: Begins the line of a sweep's history that vouches for what came before it.
PREFIX = "sha256:"


def canonical(document: Any) -> bytes:
    r"""
    Return a document as canonical JSON: one form for one content.

    Parameters
    ----------
    document : object
        JSON-ready: tables, arrays, text, finite numbers, truths, null.

    Returns
    -------
    text : bytes
        Keys sorted, no spaces, ASCII with escapes; numbers as Python writes them, that is with
        the fewest digits that give the same float64 again.

    Raises
    ------
    ValueError
        If a number is not finite.

    Examples
    --------
    >>> canonical({"b": 0.1, "a": [1, "mü"]})
    b'{"a":[1,"m\\u00fc"],"b":0.1}'
    """
    text = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return text.encode("ascii")


def digest_lines(documents: Iterable[Any]) -> str:
    """
    Return the SHA-256 of documents, a line of canonical JSON each.

    Parameters
    ----------
    documents : iterable of object
        JSON-ready.

    Returns
    -------
    digest : str
        In hexadecimal.

    Examples
    --------
    >>> digest_lines([{"a": 1}])[:16]
    'e346432021b04179'
    """
    digest = hashlib.sha256()
    for document in documents:
        digest.update(canonical(document) + b"\n")
    return digest.hexdigest()


def digest_arrays(header: Any, arrays: Iterable[np.ndarray]) -> str:
    """
    Return the SHA-256 of a header and arrays.

    Parameters
    ----------
    header : object
        JSON-ready.
    arrays : iterable of ndarray
        Of numbers.

    Returns
    -------
    digest : str
        In hexadecimal, of a line of canonical JSON, then for each array its type and shape as
        a line and its values, little-endian and in C order.

    Examples
    --------
    >>> import numpy as np
    >>> digest_arrays({}, [np.zeros(2)]) == digest_arrays({}, [np.zeros((2, 1))])
    False
    """
    digest = hashlib.sha256(canonical(header) + b"\n")
    for array in arrays:
        values = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{values.dtype.str} {list(values.shape)}\n".encode())
        digest.update(values.data if values.size else b"")
    return digest.hexdigest()
