"""SEG-Y files that tests write for themselves, byte by byte from the standard."""

import struct

import numpy as np

#: Types of the formats that NumPy has, without byte order.
TYPES = {
    1: "u4",
    2: "i4",
    3: "i2",
    5: "f4",
    6: "f8",
    8: "i1",
    9: "i8",
    10: "u4",
    11: "u2",
    12: "u8",
    16: "u1",
}

_BINARY = {
    "interval": ("h", 3217),
    "n_samples": ("H", 3221),
    "code": ("h", 3225),
    "measurement": ("h", 3255),
    "extended_n_samples": ("I", 3269),
    "extended_interval": ("d", 3273),
    "constant": ("i", 3297),
    "revision": ("2s", 3501),
    "fixed_length": ("h", 3503),
    "n_text": ("h", 3505),
    "n_extra_headers": ("i", 3507),
    "first_trace": ("Q", 3521),
    "n_trailers": ("i", 3529),
}

#: Form and first byte, counted from 1, of fields of trace headers.
_TRACE = {
    "sequence": ("i", 1),
    "trace_type": ("h", 29),
    "height": ("i", 41),
    "height_float": ("f", 41),
    "height_scalar": ("h", 69),
    "scalar": ("h", 71),
    "source": ("2i", 73),
    "group": ("2i", 81),
    "units": ("h", 89),
    "n_samples": ("H", 115),
    "interval": ("h", 117),
    "time": ("5h", 157),
    "milliseconds": ("h", 169),
    "longitude": ("d", 183),
    "latitude": ("d", 191),
    "mark_flag": ("H", 237),
    "mark_number": ("H", 239),
    "mark_byte": ("B", 239),
}


def _pack(block, table, order, first, fields):
    """Pack fields into a block whose first byte has the number `first`."""
    for name, value in fields.items():
        form, place = table[name]
        values = value if isinstance(value, tuple) else (value,)
        struct.pack_into(order + form, block, place - first, *values)


def head_of(order=">", *, text=b"", is_ebcdic=False, **fields):
    """Return text header and binary header."""
    words = text or b"C 1 CLIENT A TEST"
    words = words.ljust(3200)
    if is_ebcdic:
        words = words.decode("latin-1").encode("cp037")
    block = bytearray(400)
    _pack(block, _BINARY, order, 3201, fields)
    return words + bytes(block)


def trace_of(samples, order=">", **fields):
    """Return the header and the samples of one trace; `samples` may be bytes."""
    block = bytearray(240)
    fields = {"n_samples": len(samples), **fields}
    _pack(block, _TRACE, order, 1, fields)
    return bytes(block) + (samples if isinstance(samples, bytes) else samples.tobytes())


def numbers(code=3, n_traces=7, n_samples=20, order=">", seed=4):
    """Return stored samples of a format."""
    dtype = np.dtype(TYPES[code]).newbyteorder(order)
    rng = np.random.default_rng(seed)
    if dtype.kind == "f":
        return rng.normal(size=(n_traces, n_samples)).astype(dtype)
    low = 0 if dtype.kind == "u" else -100
    return rng.integers(low, 100, (n_traces, n_samples)).astype(dtype)


def write_segy(
    path, samples=None, *, code=3, order=">", each=None, extra=b"", tail=b"", **fields
):
    """
    Write a SEG-Y file and return its path.

    `each(k)` gives fields of trace k; `extra` comes behind the headers, `tail` at the end.
    Fields of trace headers that all traces have start with "trace_".
    """
    samples = numbers(code, order=order) if samples is None else samples
    same = {k[6:]: fields.pop(k) for k in list(fields) if k.startswith("trace_")}
    fields = {"interval": 100, "n_samples": len(samples[0]), "code": code, **fields}
    head = head_of(order, **fields)
    same = {"interval": fields["interval"], **same}
    traces = [
        trace_of(row, order, **{**same, **(each(k) if each else {})})
        for k, row in enumerate(samples)
    ]
    path.write_bytes(b"".join([head, extra, *traces, tail]))
    return path
