"""What all figures share: a canvas outside pyplot, colours, and bytes that repeat."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from .._validation import check_one_of

#: Formats that a figure can be written in, and their media types.
MEDIA_TYPES: Mapping[str, str] = MappingProxyType({"svg": "image/svg+xml", "png": "image/png"})

#: Printed on every figure that shows synthetic data.
STAMP = "SYNTHETIC"

# Chosen to differ in lightness as well as in hue, so that print and colour-blind readers
# tell them apart (after Okabe and Ito). None is green: nothing here means "nothing there".
INK = "#1a1a1a"
BLUE = "#0b5394"
RED = "#b3261e"
ORANGE = "#c75b00"
PURPLE = "#7a3e9d"
YELLOW = "#f7dc6f"
GREY = "#6b6b6b"
PALE = "#d9d9d9"

# A reader's own matplotlibrc must not change the figures, so all starts from the defaults.
_STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "axes.labelsize": 10,
    "axes.titlesize": 11,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
    "svg.fonttype": "path",  # looks the same whatever fonts the reader has
    "svg.hashsalt": "minesense",  # identifiers that repeat
    "text.parse_math": False,  # a name may hold dollar signs
}

# matplotlib's settings belong to the process; a figure borrows them one at a time.
_LOCK = threading.RLock()


@contextmanager
def drawing(width: float, height: float, *, is_fitted: bool = True) -> Iterator[Any]:
    """
    Yield an empty matplotlib figure under the house's settings.

    Parameters
    ----------
    width, height : float
        Size, in inches.
    is_fitted : bool
        Whether matplotlib fits the axes to their labels; placing them by hand takes half
        of the time.

    Yields
    ------
    figure : matplotlib.figure.Figure
        To be drawn on and turned into bytes inside the ``with`` block.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).
    """
    try:
        from matplotlib import style  # noqa: PLC0415 - an extra, slow to import
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        msg = "Figures need matplotlib: pip install 'minesense[plot]'."
        raise ImportError(msg) from error
    with _LOCK, style.context(["default", _STYLE]), warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes; the page spells it out.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(width, height), layout="constrained" if is_fitted else None)
        FigureCanvasAgg(figure)  # takes its place as the canvas of the figure
        yield figure


def printable(text: str) -> str:
    r"""
    Return a text whose control, formatting and lone surrogate characters are spelt out.

    Parameters
    ----------
    text : str
        A name from a file, perhaps hostile.

    Returns
    -------
    text : str
        On one line, with escapes such as ``\x00`` for what does not print.
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def check_image_format(image_format: str) -> str:
    """
    Return the format of an image if it is a known one.

    Parameters
    ----------
    image_format : str
        ``"svg"`` or ``"png"``.

    Returns
    -------
    image_format : str
        The same.

    Raises
    ------
    ValueError
        If it is another.
    """
    return check_one_of(image_format, "image_format", MEDIA_TYPES)


def to_bytes(figure: Any, image_format: str, *, is_synthetic: bool) -> bytes:
    """
    Return a figure as the bytes of an image, the same for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What was drawn under :func:`drawing`.
    image_format : str
        ``"svg"`` or ``"png"``.
    is_synthetic : bool
        Whether to print SYNTHETIC on it.

    Returns
    -------
    image : bytes
        Without date, and without the version of what wrote it.

    Raises
    ------
    ValueError
        If the format is unknown.
    """
    check_image_format(image_format)
    if is_synthetic:
        figure.suptitle(STAMP, x=0.995, ha="right", color=RED, fontsize=11, weight="bold")
    none = {"svg": ("Date", "Creator", "Format", "Type"), "png": ("Software",)}
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format=image_format,
        dpi=110,
        facecolor="white",
        metadata=dict.fromkeys(none[image_format]),
    )
    return buffer.getvalue()
