"""Test the log of dispositions: append only, chained, nothing deleted."""

import dataclasses
import hashlib
import json
import multiprocessing
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense.evidence.dispositions import (
    ACTIONS,
    ENDING,
    FOUND,
    Disposition,
    append_disposition,
    current_dispositions,
    ended_alarms,
    mend_dispositions,
    read_dispositions,
)

TIME = "2026-05-04T09:30:00Z"


def entry(alarm="A1", **changes):
    """Return a disposition."""
    fields = {"action": "dug", "found": "metal", "by": "operator 3", "time": TIME} | changes
    return Disposition(alarm=alarm, **fields)


@pytest.fixture
def log(tmp_path):
    """Return a log of four entries, one of which corrects another."""
    path = tmp_path / "dispositions.jsonl"
    append_disposition(path, entry("A1"))
    append_disposition(path, entry("A2", action="looked_at", found="not_known"))
    append_disposition(path, entry("A1", found="mine", corrects=0, photo_sha512="ab" * 64))
    append_disposition(path, entry("A3", note="zweiter Blick: 'höher'", depth=0.125))
    return path


def test_a_log_is_chained_lines_of_json(log):
    """Each line names the hash of the one before, taken as the docs say."""
    previous = hashlib.sha512(b"minesense dispositions 1").hexdigest()
    for number, line in enumerate(log.read_text().splitlines()):
        document = json.loads(line)
        digest = document.pop("sha512")
        assert (document["number"], document["previous"]) == (number, previous)
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha512(text.encode()).hexdigest() == digest
        previous = digest
    assert [e.disposition.alarm for e in read_dispositions(log)] == ["A1", "A2", "A1", "A3"]


def test_replay_rebuilds_the_table(log):
    """The last entry that none corrects holds; what was corrected is still on record."""
    entries = read_dispositions(log)
    table = current_dispositions(entries)
    assert {name: e.number for name, e in table.items()} == {"A1": 2, "A2": 1, "A3": 3}
    assert table["A1"].disposition.found == "mine"
    assert ended_alarms(entries) == {"A1", "A3"}
    assert len(entries) == 4


def test_only_people_end_alarms_and_looking_does_not():
    """Of all actions only those that take something out end an alarm."""
    for action in ACTIONS:
        assert entry(action=action).ends_alarm == (action in ENDING)
    assert not {"looked_at", "left_marked"} & set(ENDING)


def test_an_alarm_that_ended_is_not_opened_in_passing(tmp_path):
    """A later look does not undo a dig; only a correction of it does."""
    path = tmp_path / "log"
    append_disposition(path, entry())
    append_disposition(path, entry(action="looked_at", found="not_known"))
    assert ended_alarms(read_dispositions(path)) == {"A1"}
    append_disposition(path, entry(action="looked_at", found="not_known", corrects=0))
    assert ended_alarms(read_dispositions(path)) == frozenset()


def test_appending_changes_no_byte_that_is_there(log):
    """The old log is the beginning of the new one."""
    before = log.read_bytes()
    append_disposition(log, entry("A9"))
    assert log.read_bytes().startswith(before)


def test_any_changed_byte_is_found(log):
    """Every byte of every line, flipped in one bit, makes the log unreadable."""
    data = log.read_bytes()
    for k in range(len(data)):
        spoilt = bytearray(data)
        spoilt[k] ^= 1 << (k % 8)
        log.write_bytes(spoilt)
        with pytest.raises(ValueError, match="Invalid dispositions"):
            read_dispositions(log)


def test_lines_cannot_be_taken_out_moved_or_added(log):
    """The message names the first line that does not follow."""
    lines = log.read_bytes().splitlines(keepends=True)
    for spoilt, number in (
        (lines[1:], 1),
        ([lines[0], *lines[2:]], 2),
        ([lines[0], lines[2], lines[1], lines[3]], 2),
        ([*lines, lines[3]], 5),
        ([lines[0], b"\n", *lines[1:]], 2),
    ):
        log.write_bytes(b"".join(spoilt))
        with pytest.raises(ValueError, match=rf"line {number}: "):
            read_dispositions(log)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(cut=st.integers(1, 700))
def test_a_torn_line_is_set_aside(tmp_path_factory, cut):
    """A writer that was killed leaves the lines before; the torn bytes are kept too."""
    path = tmp_path_factory.mktemp("torn") / "log"
    for name in ("A1", "A2"):
        append_disposition(path, entry(name))
    whole = path.read_bytes()
    line = whole.splitlines(keepends=True)[1]
    cut = min(cut, len(line) - 1)
    path.write_bytes(whole[:-cut])
    with pytest.raises(ValueError, match="line 2: it has no end"):
        append_disposition(path, entry("A3"))
    torn = mend_dispositions(path)
    assert torn.read_bytes() == line[:-cut]
    append_disposition(path, entry("A3"))
    assert [e.disposition.alarm for e in read_dispositions(path)] == ["A1", "A3"]
    assert mend_dispositions(path) is None


def test_mending_takes_no_whole_line_away(log):
    """A damaged line in the middle is refused, not cut off."""
    data = log.read_bytes()
    log.write_bytes(data.replace(b"operator 3", b"operator 4", 1)[:-5])
    with pytest.raises(ValueError, match="line 1: its sha512"):
        mend_dispositions(log)
    assert len(list(log.parent.iterdir())) == 1


def write_some(path, name):
    """Append ten entries."""
    for k in range(10):
        append_disposition(path, entry(f"{name}{k}"))


def test_two_writers_share_one_chain(tmp_path):
    """Entries of two processes at once all arrive, in one unbroken chain."""
    path = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_some, args=(path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = {e.disposition.alarm for e in read_dispositions(path)}
    assert found == {f"{name}{k}" for name in "ab" for k in range(10)}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"alarm": " "}, ValueError, "Invalid alarm ''. Must be named"),
        ({"by": ""}, ValueError, "Invalid by ''. Must be named: only a named person"),
        ({"by": 3}, TypeError, "Invalid by 3. Must be text"),
        ({"action": "removed"}, ValueError, "Invalid action 'removed'"),
        ({"found": "gold"}, ValueError, "Invalid found 'gold'"),
        ({"found": "not_known"}, ValueError, "does not end with a question"),
        ({"time": "2026-05-04 09:30"}, ValueError, "with its zone"),
        ({"time": "2026-05-04T09:30:00"}, ValueError, "with its zone"),
        ({"time": "2026-13-04T09:30:00Z"}, ValueError, "with its zone"),
        ({"photo_sha512": "AB" * 64}, ValueError, "128 small hexadecimal digits"),
        ({"depth": -0.1}, ValueError, "Invalid depth -0.1"),
        ({"depth": float("nan")}, ValueError, "Invalid depth nan"),
        ({"corrects": True}, ValueError, "Invalid corrects True"),
    ],
)
def test_bad_entries_are_named(changes, error, message):
    """The error names the field, shows its value and states the rule."""
    with pytest.raises(error, match=re.escape(message)):
        entry(**changes)
    assert "not_known" in FOUND


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corrects": 9}, "there are 4 entries before it"),
        ({"corrects": 1}, "that one is of alarm 'A2'"),
        ({"corrects": 0}, "it was corrected already"),
    ],
)
def test_bad_corrections_are_refused(log, changes, message):
    """A correction is of an earlier entry of the same alarm, once; nothing is written."""
    before = log.read_bytes()
    with pytest.raises(ValueError, match=message):
        append_disposition(log, entry(**changes))
    assert log.read_bytes() == before
    with pytest.raises(TypeError, match="Must be a Disposition"):
        append_disposition(log, dataclasses.asdict(entry()))
