"""
Read HDF5 files for another process, so that no file can end, corrupt or hang that one.

The HDF5 library crashes, loops or writes over its heap on some damaged files, which nothing in
Python can catch. So :mod:`minesense.io.hdf5_process` runs this script as a process of its own
and asks it, a line of JSON at a time, for names, attributes and parts of datasets.
"""

# Run as a script, this file must not import its package: that takes longer than the reading.
from __future__ import annotations

import base64
import json
import math
import os
import signal
import sys
from typing import Any

_MAX_ATTRIBUTE = 2**20  # bytes
_MAX_MEMBERS = 100_000
_MAX_LINKS = 16  # soft links followed one after the other


class RefusedError(Exception):
    """Something that leads out of the file, or is more than is read."""


def main() -> None:
    """Answer requests until there are none."""
    import h5py  # noqa: PLC0415 - of the child alone
    import numpy as np  # noqa: PLC0415

    # Libraries may print: answers keep a channel to themselves.
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    served = Server(h5py, np)
    channel.write(b'{"ok": true}\n')
    channel.flush()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        # Processor time, so that a busy machine makes no file look broken; the signal ends a
        # loop inside the library too.
        signal.setitimer(signal.ITIMER_PROF, request.pop("seconds"))
        data = b""
        try:
            answer, data = served.serve(**request)
        except RefusedError as error:
            answer = {"refused": str(error)}
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            words = " ".join(str(error).split())[:200]
            answer = {"damaged": f"{type(error).__name__}: {words}"}
        signal.setitimer(signal.ITIMER_PROF, 0)
        answer["bytes"] = len(data)
        channel.write(json.dumps(answer).encode() + b"\n")
        channel.write(data)
        channel.flush()


class Server:
    """Open files and what is asked of them."""

    def __init__(self, h5py: Any, np: Any):
        self.h5py, self.np = h5py, np
        self.files: dict[int, Any] = {}
        self.count = 0

    def serve(self, *, op: str, **request: Any) -> tuple[dict[str, Any], Any]:
        """Return the answer to a request, and bytes that follow it."""
        if op == "open":
            self.count += 1
            self.files[self.count] = self.h5py.File(request["path"], "r", locking=False)
            return {"file": self.count}, b""
        if op == "close":
            self.files.pop(request["file"]).close()
            return {}, b""
        thing = self.find(self.files[request["file"]], request["name"])
        if op == "find":
            return ({"none": True} if thing is None else self.describe(thing)), b""
        part = tuple(slice(*bounds) for bounds in request["part"])
        values = self.np.ascontiguousarray(thing[part] if part else thing[()])
        if values.dtype.names:
            values = self.packed(values)
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        return {"shape": values.shape}, memoryview(values.reshape(-1).view("u1"))

    def packed(self, values: Any) -> Any:
        """Return a table without gaps between its fields."""
        names = values.dtype.names
        form = [(name, values.dtype[name].newbyteorder("<").str) for name in names]
        result = self.np.empty(values.shape, form)
        for name in names:
            result[name] = values[name]
        return result

    def find(self, file: Any, name: str) -> Any:
        """Return the object at a path, None if there is none; links do not leave the file."""
        parts = [part for part in reversed(name.split("/")) if part]
        place, n_links = file["/"], 0
        while parts:
            part = parts.pop()
            raw = part.encode("utf-8", "surrogateescape")
            if not isinstance(place, self.h5py.Group) or not place.id.links.exists(raw):
                return None
            link = place.get(part, getlink=True)
            if isinstance(link, self.h5py.HardLink):
                place = place[part]
                continue
            if isinstance(link, self.h5py.ExternalLink) or not hasattr(link, "path"):
                where = f"{place.name}/{part}"
                msg = f"link {where} leaves the file: links to other files are not followed"
                raise RefusedError(msg)
            n_links += 1
            if n_links > _MAX_LINKS:
                msg = f"link {place.name}/{part}: more than {_MAX_LINKS} soft links in a row"
                raise RefusedError(msg)
            if link.path.startswith("/"):
                place = file["/"]
            parts += [p for p in reversed(link.path.split("/")) if p not in ("", ".")]
        return place

    def describe(self, thing: Any) -> dict[str, Any]:
        """Return what an object is, without reading what a dataset holds."""
        answer: dict[str, Any] = {"name": thing.name, "attributes": self.attributes(thing)}
        if isinstance(thing, self.h5py.Group):
            if len(thing) > _MAX_MEMBERS:
                msg = f"group {thing.name} has more than {_MAX_MEMBERS} members"
                raise RefusedError(msg)
            return {**answer, "kind": "group", "members": sorted(thing)}
        if not isinstance(thing, self.h5py.Dataset):
            return {**answer, "kind": "other"}
        return {
            **answer,
            "kind": "dataset",
            "shape": thing.shape,
            "chunks": thing.chunks,
            "elsewhere": bool(thing.external) or bool(thing.is_virtual),
            "dtype": self.type_of(thing.dtype),
        }

    def type_of(self, dtype: Any) -> Any:
        """Return a type as text, a table's as names and types; None if it is not plain."""
        if dtype.names:
            fields = [(name, self.type_of(dtype[name])) for name in dtype.names]
            return None if any(not isinstance(form, str) for _, form in fields) else fields
        plain = dtype.kind in "iufcbS" and not dtype.shape
        return dtype.newbyteorder("<").str if plain else None

    def attributes(self, thing: Any) -> dict[str, Any]:
        """Return attributes of bounded size; why others are left out."""
        result: dict[str, Any] = {}
        for name in sorted(thing.attrs.keys())[:_MAX_MEMBERS]:
            identity = thing.attrs.get_id(name)
            count = math.prod(identity.shape or ())
            is_text = identity.dtype.kind == "O"  # of any length: at most one is read
            if identity.shape is None or count * identity.dtype.itemsize > _MAX_ATTRIBUTE:
                result[name] = {"left out": "is empty or too large"}
            elif identity.dtype.kind not in "iufbSUO" or (is_text and count != 1):
                result[name] = {"left out": "is no number or text"}
            else:
                result[name] = self.value(thing.attrs[name])
        return result

    def value(self, value: Any) -> Any:
        """Return the value of an attribute in plain form."""
        if isinstance(value, self.np.ndarray) and value.size == 1 and value.dtype.kind in "OS":
            value = value.ravel()[0]
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str):
            return {"text": value}
        array = self.np.asarray(value)
        if array.dtype.kind not in "iufb":
            return {"left out": "is no number or text"}
        array = self.np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
        data = base64.b64encode(array.tobytes()).decode()
        shape = list(self.np.shape(value))
        return {"dtype": array.dtype.str, "shape": shape, "data": data}


if __name__ == "__main__":
    main()
