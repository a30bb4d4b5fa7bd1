"""A device for minesense that exists only here: standard library alone, made to be copied.

Usage: client.py [HOST [PORT [SECONDS [TOKEN]]]]. Written from docs/protocol.md. SYNTHETIC.
"""

import json
import math
import random
import socket
import struct
import sys
import time
import zlib

COIL, GNSS = 0, 1  # numbers of our streams, as we like
RATE = 50.0  # scans per second; positions come at a fifth of it
GATES = [2e-5, 4e-5, 8e-5, 16e-5]  # s


def send(link, kind, stream, sequence, stamp, body):
    """Send one payload in a frame."""
    payload = struct.pack("<BBHId", kind, 1, stream, sequence, stamp) + body
    head = struct.pack("<4sII", b"\xa7MSF", len(payload), len(payload) ^ 0xFFFFFFFF)
    link.sendall(head + payload + struct.pack("<I", zlib.crc32(payload)))


def declare(link, stream, **fields):
    """Say what a stream is."""
    send(link, 1, stream, 0, 0.0, json.dumps(fields).encode())


def main(host="127.0.0.1", port="9750", seconds="10", token=""):
    """Walk north at half a metre per second, over something metallic at 2 m."""
    link = socket.create_connection((host, int(port)))
    if token:
        send(link, 0, 65535, 0, 0.0, token.encode())
    declare(
        link,
        COIL,
        name="example coil",
        kind="sensor",
        clock="utc",
        rate=RATE,
        lag_error=0.005,
        sensor={
            "type": "Sensor",
            "name": "example coil",
            "kind": "emi",
            "axis": GATES,
            "lever_arms": [[0.0, 0.4, 0.0]],
        },
        note="SYNTHETIC",
    )
    declare(
        link,
        GNSS,
        name="example gnss",
        kind="position",
        clock="utc",
        rate=RATE / 5,
        lag_error=0.005,
        coordinates="local",
        frame={"crs": "local", "origin": "where the program was started"},
        height_datum="local",
        lever_arm=[0.0, 0.0, 1.2],
        note="SYNTHETIC",
    )
    start = time.time()
    for k in range(int(float(seconds) * RATE)):
        elapsed = k / RATE
        if k % 5 == 0:
            nan = math.nan  # pitch, roll and height are not known
            place = struct.pack(
                "<3d5fB3x", 0.0, 0.5 * elapsed, 0.0, 0.02, 0.0, nan, nan, nan, 4
            )
            send(link, 3, GNSS, k // 5, start + elapsed, place)
        metal = math.exp(-(((0.5 * elapsed + 0.4 - 2.0) / 0.2) ** 2))
        scan = [random.gauss(0, 1) + 300 * metal * math.exp(-gate / 6e-5) for gate in GATES]
        body = struct.pack("<IHH4f", 0, 1, len(GATES), *scan)
        send(link, 2, COIL, k, start + elapsed, body)
        time.sleep(max(0.0, start + elapsed - time.time()))
    link.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
