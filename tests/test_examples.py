"""Run every example as a user would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))

#: What each must have printed, beside the word SYNTHETIC.
LAST_WORDS = {
    "detect_on_a_recording": "A0001:",
    "simulate_and_look": "radar: (",
    "stream_sample_by_sample": "agree bit for bit",
    "train_and_score": "Pd",
}


def run(script, folder, *arguments):
    """Run a script in a folder of its own; warnings are errors."""
    command = [sys.executable, "-W", "error", str(script), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_there_are_the_four_that_the_gallery_shows():
    """An example that is added gets its last words here."""
    assert {script.stem for script in SCRIPTS} == set(LAST_WORDS)


@pytest.mark.endtoend
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_example_runs(script, tmp_path):
    """It ends well, says that its data are SYNTHETIC, and prints its result."""
    found = run(script, tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert "SYNTHETIC" in found.stdout
    assert LAST_WORDS[script.stem] in found.stdout


@pytest.mark.endtoend
def test_the_picture_can_be_kept(tmp_path):
    """An argument is the file for it."""
    found = run(ROOT / "examples" / "simulate_and_look.py", tmp_path, "look.png")
    assert (found.returncode, found.stderr) == (0, "")
    assert (tmp_path / "look.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.endtoend
def test_the_made_recording_is_read_like_any_other(tmp_path):
    """Both reflectors are among the strongest alarms, where they were put."""
    lines = run(ROOT / "examples" / "detect_on_a_recording.py", tmp_path).stdout.splitlines()
    places = [float(text.split(":")[1].split("m")[0]) for text in lines if text[:2] == "A0"]
    for place in (7.0, 13.5):
        assert min(abs(place - found) for found in places[:2]) < 0.3
