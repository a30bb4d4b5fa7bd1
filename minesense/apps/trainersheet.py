"""The instructor's sheet: a page that stands alone, and a few lines of text."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from ..alarm import SAFETY_TEXT
from ..score.figures import format_fixed, format_percent

_FOLDER = "trainerpage"


def piece(name: str) -> str:
    """Return a piece of the trainer's pages."""
    return resources.files(__package__).joinpath(_FOLDER, name).read_text(encoding="utf-8")


def embedded(document: Any) -> str:
    r"""
    Return a document as JSON that can stand inside a page.

    Parameters
    ----------
    document : object
        JSON-ready.

    Returns
    -------
    text : str
        With no character that HTML gives a meaning.

    Examples
    --------
    >>> print(embedded({"learner": "</script>"}))
    {"learner": "\u003c/script\u003e"}
    """
    text = json.dumps(document, allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def page(body: str, *, title: str, data: Any, scripts: tuple[str, ...]) -> str:
    """
    Return a page that needs nothing but itself.

    Parameters
    ----------
    body : str
        HTML.
    title : str
        Text.
    data : object
        JSON-ready, for the scripts.
    scripts : tuple of str
        Names of pieces.

    Returns
    -------
    page : str
        HTML.
    """
    script = "\n".join(piece(name) for name in scripts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:;
 style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{html.escape(title)}</title>
<style>{piece("page.css")}</style>
</head>
<body>
{body}
<script type="application/json" id="data">{embedded(data)}</script>
<script>{script}</script>
</body>
</html>
"""


def trainer_page(configuration: Mapping[str, Any]) -> str:
    """
    Return the page that a learner works on.

    Parameters
    ----------
    configuration : mapping
        Of :meth:`~minesense.apps.trainersession.Session.configuration`.

    Returns
    -------
    page : str
        HTML.
    """
    body = piece("page.html").replace("SAFETY_TEXT", html.escape(SAFETY_TEXT))
    return page(
        body,
        title="SYNTHETIC: metal-detector practice",
        data=configuration,
        scripts=("tone.js", "result.js", "page.js"),
    )


def sheet_page(result: Mapping[str, Any]) -> str:
    """
    Return the instructor's sheet.

    Parameters
    ----------
    result : mapping
        Of :meth:`~minesense.apps.trainersession.Session.result`.

    Returns
    -------
    page : str
        HTML, with the replay in it.
    """
    body = (
        piece("sheet.html")
        .replace("SAFETY_TEXT", html.escape(SAFETY_TEXT))
        .replace("SUMMARY", html.escape(summary(result)))
    )
    return page(
        body,
        title="SYNTHETIC: sheet of a metal-detector practice",
        data=result,
        scripts=("result.js", "sheet.js"),
    )


def summary(result: Mapping[str, Any]) -> str:
    """
    Return a result as a few lines of text.

    Parameters
    ----------
    result : mapping
        Of :meth:`~minesense.apps.trainersession.Session.result`.

    Returns
    -------
    text : str
        Without the truth of single objects.
    """
    lines = ["SYNTHETIC practice. Practice aid, not a qualification."]
    for check in result["checks"]:
        word = "passed" if check["passed"] else "FAILED"
        lines.append(f"{check['check']}: {word} ({check['reason']})")
    if not result["is_valid"]:
        lines.append("INVALID: a check with the test piece failed or was not done.")
    for lane in result["lanes"]:
        lines.append(
            f"{lane['lane']}: {_percent(lane['observed_share'])} of {lane['wanted_m2']:.2f} m2 "
            f"observed within the limits, {lane['marks']} marks in {lane['seconds']:.0f} s; "
            f"within the limit of height {_percent(lane['height_within'])}, "
            f"of speed {_percent(lane['speed_within'])} of the time, "
            f"of overlap {_percent(lane['overlap_within'])} of the strokes"
        )
    blind = result["blind"]
    if not blind["is_scored"]:
        return "\n".join([*lines, f"blind lanes: not scored: {blind['reason']}"])
    lines.append(_line("learner", blind["learner"]))
    if blind["random"] is not None:
        found = blind["random"]
        rate = found["false_alarms_mean"]
        lines.append(
            f"as many marks at random: Pd {_percent(found['pd_swept_mean'])} of swept targets, "
            f"{format_fixed(rate, 2)} false alarms per m2 (mean of {found['draws']})"
        )
    lines.append(_line("marks everywhere", blind["everything"]))
    return "\n".join(lines)


def _line(name: str, found: Mapping[str, Any]) -> str:
    """Return the figures of one operator as a line."""
    pd, rate = found["pd_swept"], found["false_alarms"]
    share = (
        f"Pd {pd['k']} of {pd['n']} swept targets "
        f"(95 % interval {_percent(pd['low'])} to {_percent(pd['high'])})"
    )
    value, low, high = (format_fixed(rate[key], 2) for key in ("value", "low", "high"))
    return (
        f"{name}: {share}, {found['missed_though_swept']} missed though swept, "
        f"{found['not_swept']} not swept; {value} false alarms per m2 ({low} to {high})"
    )


def _percent(share: float | None) -> str:
    """Return a share in per cent, or a dash if it is not known."""
    return "-" if share is None else format_percent(share, 0)
