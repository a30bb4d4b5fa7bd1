"""Sections 11 to 14 of an annex: quality control, what went wrong, processing, integrity."""

from __future__ import annotations

from .annex import AnnexSection, AnnexTable
from .annex_matter import MOST_ROWS, AnnexMatter, stated
from .dispositions import current_dispositions


def seeds_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 11: blind seeds and quality control.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    facts, missing = stated(matter, 11)
    given = matter.site.annex
    laid, found = given.get("blind_seeds_laid", ""), given.get("blind_seeds_found", "")
    if laid or found:
        low, high = _seed_interval(laid, found)
        facts = (
            *facts,
            ("Blind seeds found", f"{found} of {laid}"),
            ("95 % interval of the share found", f"{low:.3f} to {high:.3f}"),
        )
    else:
        missing = (*missing, "blind seeds found and laid")
    return AnnexSection(number=11, facts=facts, missing=missing)


def nonconformities_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 12: what went wrong.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    facts, missing = stated(matter, 12)
    failed = [item for item in matter.grid.checks if not item.passed]
    words = [
        f"Function check of {item.check.sensor} at {item.check.time:.1f} s failed: {item.why}. "
        "Data back to the last check that passed are INVALID."
        for item in failed
    ]
    mines = [
        e for e in current_dispositions(matter.entries).values()
        if e.disposition.found in ("mine", "uxo")
    ]  # fmt: skip
    words += [
        f"Alarm {e.disposition.alarm}: {e.disposition.found} found by {e.disposition.by} on "
        f"{e.disposition.time}. An item found on ground already searched is critical."
        for e in mines
    ]
    return AnnexSection(number=12, paragraphs=tuple(words), facts=facts, missing=missing)


def processing_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 13: what processed the data.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    facts, missing = stated(matter, 13)
    rows = [(name, value) for name, value in matter.program.items()]
    rows += [
        (f"{session.name}: {name}", value)
        for session in matter.sessions
        for name, value in session.processing.items()
    ]
    return AnnexSection(number=13, facts=(*rows, *facts), missing=missing)


def integrity_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 14: hashes and signatures.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    facts, missing = stated(matter, 14)
    rows = tuple(
        (file.role, file.name, str(file.size), file.sha512) for file in matter.files[:MOST_ROWS]
    )
    table = AnnexTable(
        caption="Files and their SHA-512",
        head=("role", "file", "bytes", "SHA-512"),
        rows=rows,
        numbers=(2,),
    )
    words = [
        "Hashes are chained over inputs, configuration, model and outputs. The command "
        "minesense verify finds any changed byte, and files that are missing or were added. It "
        "cannot tell who changed them: that is what the signature is for.",
    ]
    if len(matter.files) > MOST_ROWS:
        words.append(f"The table shows {MOST_ROWS} of {len(matter.files)} files.")
    own = (
        ("Link of the chain up to this page", matter.links[-1] if matter.links else ""),
        (
            "Last entry of the log of dispositions",
            matter.entries[-1].sha512 if matter.entries else "none",
        ),
        ("Signed for the organisation", "................................"),
        ("Signed for quality assurance", "................................"),
        ("Date", "................................"),
    )
    return AnnexSection(
        number=14,
        paragraphs=tuple(words),
        facts=(*own, *facts),
        tables=(table,),
        missing=missing,
    )


def _seed_interval(laid: str, found: str) -> tuple[float, float]:
    """Return the exact 95 % interval of the share of blind seeds found (Clopper, Pearson)."""
    from scipy.special import betaincinv  # noqa: PLC0415 - slow to load

    k, n = int(found), int(laid)
    low = float(betaincinv(k, n - k + 1, 0.025)) if k else 0.0
    high = float(betaincinv(k + 1, n - k, 0.975)) if k < n else 1.0
    return low, high
