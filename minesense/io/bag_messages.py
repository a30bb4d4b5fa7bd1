"""
Messages of ROS bags that are read here, and how bags are opened: ROS 1 and ROS 2, by rosbags.

Definitions of messages that no distribution has are registered from text below. Nothing of a
bag is run; types that a bag defines are used for those messages alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .trouble import FormatError

COIL = "metal_detector_msgs/msg/Coil"
FIX = "sensor_msgs/msg/NavSatFix"
ODOMETRY = "nav_msgs/msg/Odometry"

#: Fields of the message by the vendor's description: coils in turn under one stamp.
COIL_DEFINITION = "std_msgs/Header header\nfloat32 left_coil\nfloat32 right_coil\n"

_SQLITE = b"SQLite format 3\x00"
_MCAP = b"\x89MCAP0\r\n"
_ROS1 = b"#ROSBAG V2.0\n"


def make_typestore(*, ros1: bool = False) -> Any:
    """
    Return the types of messages that are known, the coil message among them.

    Parameters
    ----------
    ros1 : bool, optional
        Whether types are those of ROS 1, whose headers have a sequence number.

    Returns
    -------
    typestore : rosbags.typesys.store.Typestore
        For readers and writers of bags.

    Raises
    ------
    ImportError
        If rosbags is not installed.

    Examples
    --------
    >>> make_typestore().types[COIL].__name__
    'metal_detector_msgs__msg__Coil'
    """
    try:
        from rosbags.typesys import (  # noqa: PLC0415 - an extra
            Stores,
            get_types_from_msg,
            get_typestore,
        )
    except ImportError:
        msg = "Reading ROS bags needs rosbags: pip install 'minesense[ros]'."
        raise ImportError(msg) from None
    store = get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_HUMBLE)
    store.register(get_types_from_msg(COIL_DEFINITION, COIL))
    return store


@contextlib.contextmanager
def open_bag(path: Path) -> Iterator[Any]:
    """
    Open a bag for reading; turn what the library raises in the block into FormatError.

    Parameters
    ----------
    path : Path
        A bag of ROS 1, the folder of a bag of ROS 2, or its storage, which stands for the
        folder if the metadata are beside it.

    Yields
    ------
    reader : rosbags.highlevel.AnyReader
        Open until the end of the block.

    Raises
    ------
    FormatError
        If it is no bag, or damaged.
    ImportError
        If rosbags is not installed.
    OSError
        If it cannot be read.
    """
    ros1 = False
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(16)
        ros1 = head.startswith(_ROS1)
        if not ros1 and not head.startswith((_SQLITE, _MCAP)):
            field, rule = "content", "a bag of ROS 1, or storage of ROS 2"
            raise FormatError(path, field, head, rule)
        if not ros1 and (path.parent / "metadata.yaml").is_file():
            path = path.parent
    elif not (path / "metadata.yaml").is_file():
        field = "bag"
        raise FormatError(path, field, str(path), "a folder with metadata.yaml in it")
    store = make_typestore(ros1=ros1)
    from rosbags.highlevel import AnyReader, AnyReaderError  # noqa: PLC0415 - an extra

    _check_metadata(path)
    damage: tuple[type[Exception], ...] = (AnyReaderError, *_damage())
    try:
        with AnyReader([path], default_typestore=store) as reader:
            yield reader
    except FormatError:
        raise
    except damage as error:
        field, rule = "content", "a bag, whole and undamaged"
        words = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise FormatError(path, field, words, rule) from None


def _damage() -> tuple[type[Exception], ...]:
    """Return what libraries raise about damaged bags."""
    import sqlite3  # noqa: PLC0415 - loaded by rosbags anyway
    import struct  # noqa: PLC0415

    return (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RuntimeError,
        AssertionError,
        ArithmeticError,
        EOFError,
        MemoryError,
        RecursionError,
        NotImplementedError,
        SyntaxError,
        struct.error,
        sqlite3.Error,
        *_library_errors(),
    )


def _library_errors() -> tuple[type[Exception], ...]:
    """Return exception types of rosbags that derive from no built-in but Exception."""
    from rosbags.rosbag1 import ReaderError as Ros1Error  # noqa: PLC0415 - an extra
    from rosbags.rosbag2 import ReaderError as Ros2Error  # noqa: PLC0415
    from rosbags.serde import SerdeError  # noqa: PLC0415
    from rosbags.typesys import TypesysError  # noqa: PLC0415

    errors: list[type[Exception]] = [Ros1Error, Ros2Error, SerdeError, TypesysError]
    with contextlib.suppress(ImportError):
        import apsw  # noqa: PLC0415 - what newer versions of rosbags read sqlite3 with

        errors.append(apsw.Error)
    return tuple(errors)


def _check_metadata(path: Path) -> None:
    """Raise if a bag of ROS 2 names storage outside its own folder, or too much of it."""
    metadata = path / "metadata.yaml"
    if not path.is_dir():
        return
    if metadata.stat().st_size > 4 * 2**20:
        field = "metadata.yaml"
        raise FormatError(path, field, metadata.stat().st_size, "at most 4 MiB")
    text = metadata.read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        entry = line.strip().lstrip("- ").strip("\"'")
        if entry.endswith((".db3", ".mcap", ".zstd")) and ("/" in entry or "\\" in entry):
            name = entry.split(":", 1)[-1].strip()
            if ".." in name or name.startswith(("/", "\\")):
                field = "metadata.yaml"
                raise FormatError(path, field, entry[:80], "storage in the folder of the bag")
