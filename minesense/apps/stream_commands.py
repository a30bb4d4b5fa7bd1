"""Commands about live streams and their recordings."""

from __future__ import annotations

import math

from . import arguments
from .parser import Commands, Parser, add_command

_SOURCES = """\
Sources (SPEC), each with options behind '?', such as ?speed=2&clock=utc:
  listen:[PORT]              devices connect here and send frames (default port 9750)
  tcp:HOST:PORT              frames of a device or server that is connected to
  serial:PORT                frames at a serial port; baud
  nmea+serial:PORT, nmea+tcp:HOST:PORT, nmea+file:PATH
  ubx+serial:PORT, ubx+tcp:HOST:PORT, ubx+file:PATH
                             a satellite receiver; lever_arm=RIGHT,FORWARD,UP is needed;
                             name, clock, datum, date, leap_seconds, lag, lag_error,
                             lateness, rate, baud
  replay:FILE                a recording of `minesense stream`, or a file of frames; speed
  file:PATH                  a recording that `minesense info` can read, or a ROS bag;
                             speed, clock, spacing, format; of a bag lever_arms (R,F,U;R,F,U),
                             topic, position_topic
  simulator:SCENARIO         a simulated platform, SYNTHETIC; seed, lanes, length, speed

The bytes of frames and messages are described in docs/protocol.md."""


def add_commands(commands: Commands) -> None:
    """Add these commands to a parser."""
    _add_stream(commands)
    _add_replay(commands)
    _add_serve_simulator(commands)
    _add_calibrate_lag(commands)


def _add_stream(commands: Commands) -> None:
    parser = add_command(
        commands,
        "stream",
        module="stream",
        summary="process what sensors and receivers send, live",
        text=(
            "Take messages of sensors and positions from sources, record them if asked, and\n"
            "print alarms, changes of quality, gaps and lanes as lines of JSON, each as soon\n"
            "as it is known; the counters last. Ends with its sources, or by SIGINT or\n"
            "SIGTERM.\n\n"
            "Servers listen on this computer alone, unless --host names an address that\n"
            "others reach; then clients must send the token of --token-file.\n\n"
            f"{_SOURCES}"
        ),
        output=None,
        output_help="taken by every command; see --record",
        seed_help="taken by every command; sources have a seed of their own",
    )
    parser.add_argument(
        "--source",
        action="append",
        required=True,
        metavar="SPEC",
        help="where messages come from; may be given several times",
    )
    parser.add_argument(
        "--record", default=None, metavar="FILE", help="new MCAP file for every packet"
    )
    _add_session(parser)
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address that listen: binds to (default: %(default)s)",
    )
    parser.add_argument(
        "--token-file",
        default=None,
        metavar="FILE",
        help="one line of 16 letters or more, that clients must send",
    )


def _add_replay(commands: Commands) -> None:
    parser = add_command(
        commands,
        "replay",
        module="replay",
        summary="process a recording of a stream again",
        text=(
            "Print the lines that `minesense stream` printed while it recorded, bit for bit,\n"
            "if model, configuration and version are the same and it lost nothing. A\n"
            "recording that is damaged is read up to the damage; see `minesense recover`."
        ),
        output=None,
        output_help="taken by every command; nothing is written here",
        seed_help="taken by every command; nothing here is left to chance",
    )
    parser.add_argument("path", metavar="FILE", help="recording (MCAP), or a file of frames")
    parser.add_argument(
        "--speed",
        type=_speed,
        default=math.inf,
        metavar="N",
        help="1: as fast as it came, 2: twice (default: as fast as it can be processed)",
    )
    _add_session(parser)


def _add_serve_simulator(commands: Commands) -> None:
    parser = add_command(
        commands,
        "serve-simulator",
        module="serve_simulator",
        summary="be a device that sends simulated sweeps to those who connect",
        text=(
            "Listen at a port and send frames to every client, as a device would: what the\n"
            "sensors of a simulated platform record, lane after lane. Everything that is\n"
            "sent is SYNTHETIC. `minesense stream --source tcp:HOST:PORT` takes it."
        ),
        output=None,
        output_help="taken by every command; nothing is written here",
    )
    parser.add_argument(
        "--scenario",
        default="farmland",
        metavar="NAME",
        help="a preset or a TOML file, see `minesense simulate` (default: %(default)s)",
    )
    parser.add_argument("--lanes", type=arguments.lanes, default=None, metavar="N")
    parser.add_argument(
        "--length", type=arguments.positive, default=None, metavar="M", help="of each lane, m"
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="N",
        help="1: as fast as it moves, 2: twice, max: as fast as the link (default: 1)",
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS")
    parser.add_argument("--port", type=_port, default=9751, metavar="N")
    parser.add_argument(
        "--token-file",
        default=None,
        metavar="FILE",
        help="token that clients must send; needed beyond this computer",
    )


def _add_calibrate_lag(commands: Commands) -> None:
    parser = add_command(
        commands,
        "calibrate-lag",
        module="calibrate_lag",
        summary="find by how much the samples of a metal detector lag its positions",
        text=(
            "Read a recording in which the detector crossed one target several times, in both\n"
            "directions, and print its lag behind the positions, the 95 % error, and both as\n"
            "fields of the declaration of its stream. Passes that tell nothing are named; a\n"
            "recording without two pairs of opposite passes over a target is refused."
        ),
        output=None,
        output_help="write it to this file as JSON too",
        seed_help="taken by every command; nothing here is left to chance",
    )
    parser.add_argument("path", metavar="FILE", help="recording (MCAP), or a file of frames")
    parser.add_argument("--stream", required=True, metavar="NAME", help="of the detector")
    parser.add_argument(
        "--config", default=None, metavar="FILE", help="that of the session: clock, origin"
    )
    for name, unit, default, what in (
        ("largest", "S", 1.0, "lags up to this one are tried, s"),
        ("reach", "M", 0.1, "across the line, m: coils so far apart are compared"),
        ("smooth", "M", 0.05, "along the line, m: about half the radius of a coil"),
    ):
        parser.add_argument(
            f"--{name}",
            type=arguments.positive,
            default=default,
            metavar=unit,
            help=f"{what} (default: %(default)s)",
        )


def _add_session(parser: Parser) -> None:
    """Add what a session is made from, and which events are printed."""
    parser.add_argument(
        "--model", default=None, metavar="FILE", help="of `minesense train`: judges places"
    )
    parser.add_argument(
        "--config",
        default=None,
        metavar="FILE",
        help="TOML with clock, limits and origin of the task; without it no ground counts "
        "as observed",
    )
    parser.add_argument(
        "--http",
        type=_port,
        default=None,
        metavar="PORT",
        help="show a live page at this port of this computer, or of --host; 0: any",
    )
    parser.add_argument(
        "--audio",
        default=None,
        metavar="FILE",
        help="new WAV file for the tone of the first metal detector",
    )
    parser.add_argument(
        "--events",
        choices=("main", "all"),
        default="main",
        help="all: scores of every scan and stretches of coverage too (default: %(default)s)",
    )


def _speed(text: str) -> float:
    """Return a speed, infinite for "max"."""
    return math.inf if text == "max" else arguments.positive(text)


def _port(text: str) -> int:
    """Return a port; 0 for any that is not in use."""
    return arguments.count(text, 0, 65535)
