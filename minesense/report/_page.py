"""Pieces of a page that stands alone: escaped text, tables, pictures, one file."""

from __future__ import annotations

import base64
import html
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ..alarm import SAFETY_TEXT
from ..score.figures import format_digits
from ._canvas import MEDIA_TYPES, STAMP, printable

# Longest value of a header that is shown whole, in characters.
_LONGEST = 300

DASH = "\N{EN DASH}"  # where there is no number

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1a1a1a;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 20px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0.6em 0 0.2em; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.2em 0 0.5em; padding-bottom: 0.2em;
  border-bottom: 1px solid #bbb; }
h3 { font-size: 1.02rem; margin: 1.6em 0 0.4em; }
p { margin: 0.5em 0; max-width: 78ch; }
.subtitle { color: #444; margin-top: 0; overflow-wrap: anywhere; }
.synthetic { border: 2px solid #b3261e; color: #8c1d18; padding: 8px 14px; font-weight: 600; }
.synthetic strong { letter-spacing: 0.12em; font-size: 1.15rem; }
.limits { border-left: 5px solid #1a1a1a; background: #f3f3f3; padding: 10px 16px;
  margin: 14px 0; }
.limits p { max-width: none; margin: 0; }
.note { border-left: 5px solid #c75b00; background: #fdf3e7; padding: 8px 14px;
  margin: 12px 0; max-width: none; }
.scroll { overflow-x: auto; margin: 0.6em 0; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 4px 0; white-space: nowrap; }
th, td { padding: 5px 12px 5px 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; }
thead th { border-bottom: 2px solid #1a1a1a; vertical-align: bottom; }
tbody th { font-weight: 600; }
td.number, th.number { text-align: right; padding-left: 8px; white-space: nowrap; }
td.text { overflow-wrap: anywhere; min-width: 8em; }
tr.main > * { background: #f3f3f3; }
.detail { color: #555; font-size: 0.92em; white-space: nowrap; }
figure { margin: 1em 0; }
figure img { display: block; width: 100%; max-width: 100%; height: auto; }
figcaption { font-size: 0.9rem; color: #333; max-width: 90ch; margin-top: 0.3em; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr));
  gap: 10px 28px; }
.medium img { max-width: 860px; }
.small img { max-width: 620px; }
ul { padding-left: 1.3em; }
li { overflow-wrap: anywhere; }
footer { margin-top: 3em; padding-bottom: 2em; color: #444; font-size: 0.9rem; }
@media (max-width: 700px) {
  main, header, footer { padding-left: 12px; padding-right: 12px; }
  .wide { overflow-x: auto; }
  .wide img { width: 860px; max-width: none; }
}
@media print {
  body { font-size: 10.5pt; }
  main, header, footer { max-width: none; padding: 0; }
  .scroll, .wide { overflow: visible; }
  figure, tr, .limits, .synthetic { break-inside: avoid; }
  h2, h3, caption, thead { break-after: avoid; }
}
"""


class Raw(str):
    """Text that is HTML already."""

    __slots__ = ()


def text_of(value: Any) -> Raw:
    """Return a value as HTML text: escaped, and without characters that do not print."""
    if isinstance(value, Raw):
        return value
    lines = str(value).split("\n")
    return Raw("\n".join(html.escape(printable(line), quote=True) for line in lines))


def join(pieces: Iterable[str]) -> Raw:
    """Return pieces of HTML as one."""
    return Raw("\n".join(pieces))


def element(name: str, content: Any, **attributes: str) -> Raw:
    """Return an element; `class_` is the attribute class."""
    pairs = "".join(f' {k.rstrip("_")}="{text_of(v)}"' for k, v in attributes.items() if v)
    return Raw(f"<{name}{pairs}>{text_of(content)}</{name}>")


def bullets(items: Iterable[Any], nothing: str) -> Raw:
    """Return a list, or a line that says that there is nothing."""
    lines = [element("li", item) for item in items]
    return Raw(f"<ul>{join(lines)}</ul>") if lines else element("p", nothing)


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, or a dash if it is not known."""
    if not math.isfinite(value):
        return "∞" if value == math.inf else DASH
    return format_digits(value, digits)


def fixed(value: float, digits: int = 2) -> str:
    """Return a number with so many digits behind the point, or a dash."""
    return f"{value:.{digits}f}" if math.isfinite(value) else DASH


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    caption: str = "",
    numbers: Iterable[int] = (),
    main_row: int | None = None,
    nothing: str = "None.",
) -> Raw:
    """Return a table whose first column names the row; or a line if it has no rows."""
    rows, right = list(rows), set(numbers)
    if not rows:
        said = f"{caption}: {nothing[0].lower()}{nothing[1:]}" if caption else nothing
        return element("p", said)

    def cell(name: str, k: int, value: Any, **more: str) -> Raw:
        return element(name, value, class_="number" if k in right else "text", **more)

    header = "".join(cell("th", k, word, scope="col") for k, word in enumerate(head))
    header = f"<thead><tr>{header}</tr></thead>" if any(head) else ""
    body = []
    for i, row in enumerate(rows):
        first = cell("th", 0, row[0], scope="row")
        rest = "".join(cell("td", k, value) for k, value in enumerate(row) if k)
        body.append(element("tr", Raw(first + rest), class_="main" if i == main_row else ""))
    title = element("caption", caption) if caption else ""
    kind = ' class="many"' if len(head) > 8 else ""
    table = f"<table{kind}>{title}{header}<tbody>{join(body)}</tbody></table>"
    return Raw(f'<div class="scroll">{table}</div>')


def picture(image: bytes, image_format: str, *, alt: str, caption: Any, kind: str) -> Raw:
    """Return an image inside the page; kind is "wide", "medium" or "small"."""
    data = base64.b64encode(image).decode("ascii")
    source = f"data:{MEDIA_TYPES[image_format]};base64,{data}"
    return Raw(
        f'<figure><div class="{kind}"><img src="{source}" alt="{text_of(alt)}"></div>'
        f"{element('figcaption', caption)}</figure>"
    )


def flat(mapping: Mapping[Any, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return a nested mapping as pairs of dotted name and value."""
    pairs: list[tuple[str, str]] = []
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            pairs += flat(value, f"{name}.")
        else:
            shown = value if isinstance(value, str) else repr(value)
            if isinstance(value, np.ndarray):
                shown = f"array of shape {value.shape}, {value.dtype}"
            if len(shown) > _LONGEST:
                shown = f"{shown[:_LONGEST]} … ({len(shown)} characters)"
            pairs.append((name, shown))
    return pairs


def pairs(mapping: Mapping[Any, Any]) -> Raw:
    """Return names and values, nested ones included, as a table."""
    return table(("name", "value"), flat(mapping), nothing="Nothing was stated.")


def versions_of(given: Mapping[str, str] | None) -> dict[str, str]:
    """Return the versions given, or those of what is installed here."""
    if given is not None:
        return dict(given)
    found = {"Python": platform.python_version()}
    for name in ("minesense", "numpy", "scipy", "numba", "scikit-learn", "matplotlib"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def write_page(
    path: str | os.PathLike[str],
    *,
    title: str,
    subtitle: str,
    sections: Iterable[tuple[str, Raw]],
    is_synthetic: bool,
    style: str = "",
) -> Path:
    """Write a page of titled sections below the limits of the software; return its path."""
    banner = ""
    if is_synthetic:
        words = f"<strong>{STAMP}</strong> data, made by a simulator. They say nothing about "
        banner = Raw(
            f'<div class="synthetic" role="note">{words}performance in the field.</div>'
        )
    body = join(element("section", join([element("h2", h), part])) for h, part in sections)
    stamped = f"{STAMP}: {title}" if is_synthetic else title
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{text_of(stamped)}</title>
<style>{_STYLE}{style}</style>
</head>
<body>
<header>
{banner}
<h1>{text_of(title)}</h1>
<p class="subtitle">{text_of(subtitle)}</p>
<div class="limits"><p>{text_of(SAFETY_TEXT)}</p></div>
</header>
<main>
{body}
</main>
<footer><p>Made by minesense. This page needs nothing but itself: no network, no script.</p>
</footer>
</body>
</html>
"""
    target = Path(path)
    target.write_text(page, encoding="utf-8")
    return target
