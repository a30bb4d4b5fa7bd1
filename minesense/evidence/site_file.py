"""Read a site file: TOML whose errors name the file, the line and the path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..synthetic.document import build, parse_toml, plain
from .site import Site
from .task_cells import task_cells

#: A table header, and a key at the start of a line.
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-.\"' ]+?)\s*=")


def read_site(path: str | Path) -> Site:
    """
    Read a site file.

    Parameters
    ----------
    path : str or Path
        TOML with the tables of :class:`Site`.

    Returns
    -------
    site : Site
        What it states.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not TOML in UTF-8, a key is unknown, missing or of the wrong type, a limit is
        missing, a polygon crosses itself or the coordinate system is unknown. The message
        names file, line and path.
    ImportError
        If the site names a coordinate system and pyproj is not installed.

    Examples
    --------
    >>> from minesense.evidence import read_site
    >>> read_site("examples/site.toml").task.clock
    'utc'
    """
    name = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"Invalid site file '{name}': byte {error.start} is not UTF-8. Must be text."
        raise ValueError(msg) from None
    return parse_site(text, name=name)


def parse_site(text: str, *, name: str = "site.toml") -> Site:
    r"""
    Return the site that TOML text states.

    Parameters
    ----------
    text : str
        As a site file.
    name : str
        What errors call it.

    Returns
    -------
    site : Site
        What it states.

    Raises
    ------
    ValueError, ImportError
        As in :func:`read_site`.

    Examples
    --------
    >>> from minesense.evidence import parse_site
    >>> parse_site("cell = 0.05\nheight = 0.1", name="short.toml")
    Traceback (most recent call last):
    ValueError: Invalid site file 'short.toml', line 2: Unknown field. Must be one of task, ...
    """
    document = parse_toml(text, name)
    try:
        site = build(Site, document)
    except ValueError as error:
        words, _, path = str(error).partition(" - at `")
        raise ValueError(_located(text, name, path.rstrip("`"), words)) from None
    for path, check in (
        ("$.frame.crs", lambda: check_crs(site.frame.crs)),
        ("$.area", lambda: task_cells(site)),
    ):
        try:
            check()
        except ValueError as error:
            words = str(error).removesuffix(".")
            raise ValueError(_located(text, name, path, words)) from None
    return site


def check_crs(crs: str) -> str:
    """
    Return the code of a coordinate system if it is a known one of eastings and northings in m.

    Parameters
    ----------
    crs : str
        "local", or an authority's code.

    Returns
    -------
    crs : str
        The same.

    Raises
    ------
    ValueError
        If the code is unknown, or the system is not projected with axes in metres.
    ImportError
        If pyproj is not installed and the code is not "local".

    Examples
    --------
    >>> check_crs("EPSG:32638")
    'EPSG:32638'
    >>> check_crs("EPSG:4326")
    Traceback (most recent call last):
    ValueError: Invalid crs 'EPSG:4326'. Must be a projected system with axes in metres.
    """
    if crs == "local":
        return crs
    try:
        import pyproj  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        msg = f"Cannot look up crs '{crs}' without pyproj: pip install 'minesense[geo]'"
        raise ImportError(msg) from None
    try:
        system = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        msg = f"Invalid crs '{crs}'. Must be 'local' or a code that pyproj knows."
        raise ValueError(msg) from None
    in_metres = all(axis.unit_name == "metre" for axis in system.axis_info)
    if not (system.is_projected and in_metres):
        msg = f"Invalid crs '{crs}'. Must be a projected system with axes in metres."
        raise ValueError(msg)
    return crs


def line_of(text: str, path: str) -> int:
    r"""
    Return the line on which TOML text states what a path names.

    Parameters
    ----------
    text : str
        Valid TOML.
    path : str
        Such as ``$.sensor[0].gates.tilt``. Where it does not stand in the text, the line of
        the longest beginning of it that does.

    Returns
    -------
    line : int
        Counted from 1.

    Examples
    --------
    >>> line_of("cell = 0.1\n[[sensor]]\nkind = 'gpr'", "$.sensor[0].kind")
    3
    """
    wanted = _tokens(path)
    best, line = 0, 1
    for number, keys in _stated(text):
        common = 0
        while common < min(len(keys), len(wanted)) and keys[common] == wanted[common]:
            common += 1
        # A table within is stated where its first key is, unless it has a header of its own.
        if common > best:
            best, line = common, number
    return line


def _located(text: str, name: str, path: str, words: str) -> str:
    """Return a message that names file, line and path."""
    where = f" - at `{path}`" if path else ""
    return f"Invalid site file '{name}', line {line_of(text, path)}: {words}{where}"


def _tokens(path: str) -> list[str | int]:
    """Return the keys and indices of a path."""
    found = re.findall(r"\[(\d+)\]|([^.\[\]$]+)", path)
    return [int(index) if index else key for index, key in found]


def _stated(text: str) -> list[tuple[int, list[str | int]]]:
    """Return (line, keys and indices) of all headers and keys of a document."""
    found: list[tuple[int, list[str | int]]] = []
    table: list[str | int] = []
    counts: dict[str, int] = {}
    depth, quote = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if depth == 0 and not quote:
            header = _HEADER.match(line)
            key = _KEY.match(line)
            if header:
                table = _table(header[2], is_array=header[1] == "[[", counts=counts)
                found.append((number, table))
                continue
            if key:
                keys = [*table, *_split(key[1])]
                found.append((number, keys))
                found += [
                    (number, [*keys, inner])
                    for inner in re.findall(r"[{,]\s*([A-Za-z0-9_\-]+)\s*=", line)
                ]
        depth, quote = _after(line, depth, quote)
    return found


def _table(name: str, *, is_array: bool, counts: dict[str, int]) -> list[str | int]:
    """Return keys and indices of a table header; count the entries of arrays of tables."""
    keys: list[str | int] = []
    parts = _split(name)
    for k, part in enumerate(parts):
        keys.append(part)
        path = repr(keys)
        if is_array and k == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            keys.append(counts[path])
    return keys


def _split(name: str) -> list[str]:
    """Return the parts of a dotted key."""
    return [part.strip().strip("\"'") for part in name.split(".")]


def _after(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Return the depth of open brackets, and the open multi-line quote, after a line."""
    i = 0
    while i < len(line):
        if quote:
            end = line.find(quote, i)
            if end < 0:
                return depth, quote if len(quote) == 3 else ""
            i, quote = end + len(quote), ""
            continue
        if line.startswith(('"""', "'''"), i):
            quote, i = line[i : i + 3], i + 3
            continue
        letter = line[i]
        if letter == "#":
            break
        if letter in "\"'":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        i += 1
    return depth, quote if len(quote) == 3 else ""


def site_document(site: Site) -> dict[str, Any]:
    """
    Return a site as tables and plain values, for JSON and for hashes.

    Parameters
    ----------
    site : Site
        What a site file states.

    Returns
    -------
    document : dict
        Dates as texts.

    Examples
    --------
    >>> from minesense.evidence import read_site, site_document
    >>> site_document(read_site("examples/site.toml"))["task"]["clock"]
    'utc'
    """
    document: dict[str, Any] = plain(site)
    document["task"]["dates"] = [date.isoformat() for date in site.task.dates]
    return document
