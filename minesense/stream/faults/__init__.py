"""
Faults to inject into packets, messages and frames, each a function with a seed.

:data:`FAULTS` holds those of messages with the behaviour that is required of a session, and
a check of it; :data:`LINK_FAULTS` those of frames, as bytes.
"""

from .catalogue import ELSEWHERE, FAULTS, LINK_FAULTS, Fault
from .of_link import corrupt, fall_behind, oversize, reconnect_mid_frame, tear
from .outcome import Outcome
from .trial import configured, run_trial

__all__ = [
    "ELSEWHERE",
    "FAULTS",
    "LINK_FAULTS",
    "Fault",
    "Outcome",
    "configured",
    "corrupt",
    "fall_behind",
    "oversize",
    "reconnect_mid_frame",
    "run_trial",
    "tear",
]
