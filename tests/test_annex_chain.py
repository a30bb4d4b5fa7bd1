"""Test the chain of hashes: whatever is changed, missing or extra is found."""

import hashlib
import json
import shutil
import subprocess

import pytest

from minesense.evidence.annex_verification import verify_annex
from minesense.evidence.chain import (
    HASHES,
    MANIFEST,
    ChainedFile,
    chain,
    chained_file,
    hash_file,
    signature_block,
    write_manifest,
)


def make(folder):
    """Write a small annex beside its inputs; return its folder."""
    inputs, annex = folder / "session", folder / "annex"
    (inputs / "sweeps").mkdir(parents=True)
    (annex / "maps").mkdir(parents=True)
    files = []
    for name in ("sweeps/a.npz", "alarms.csv"):
        (inputs / name).write_bytes(name.encode() * 20)
        files.append(
            chained_file(
                inputs / name,
                role="input",
                name=f"session/{name}",
                location=f"../session/{name}",
            )
        )
    for role, name in (
        ("configuration", "site.toml"),
        ("model", "model.json"),
        ("output", "annex.html"),
        ("output", "maps/map.gpkg"),
    ):
        (annex / name).write_bytes(f"{name}\n".encode() * 9)
        files.append(chained_file(annex / name, role=role, name=name))
    write_manifest(annex, files, statement={"task": "T1"})
    return annex


@pytest.fixture
def annex(tmp_path):
    """Return the folder of a small annex."""
    return make(tmp_path)


def reasons(annex):
    """Return the faults of an annex by name."""
    return {fault.name: fault.reason for fault in verify_annex(annex).faults}


def test_a_whole_annex_passes(annex, tmp_path):
    """Also when moved together with its inputs; the same files give the same bytes."""
    found = verify_annex(annex)
    assert found.is_whole
    assert found.n_files == 8
    assert found.head == json.loads((annex / MANIFEST).read_text())["head"]
    shutil.move(tmp_path / "session", tmp_path / "there" / "session")
    shutil.move(annex, tmp_path / "there" / "annex")
    assert verify_annex(tmp_path / "there" / "annex").is_whole
    again = make(tmp_path / "again")
    for name in (MANIFEST, HASHES):
        assert (again / name).read_bytes() == (tmp_path / "there/annex" / name).read_bytes()


def test_any_changed_byte_is_found(annex):
    """Each byte of every file of annex and inputs, flipped in one bit, is noticed and named."""
    files = [p for p in annex.parent.rglob("*") if p.is_file()]
    assert len(files) == 8
    for path in files:
        data = path.read_bytes()
        for k in range(0, len(data), max(1, len(data) // 150)):
            spoilt = bytearray(data)
            spoilt[k] ^= 1 << (k % 8)
            path.write_bytes(spoilt)
            found = reasons(annex)
            assert any(path.name in name for name in found), (path, k)
        path.write_bytes(data)
    assert verify_annex(annex).is_whole


def test_missing_and_extra_files_are_found(annex):
    """In the annex and in the folder of the inputs."""
    (annex / "maps" / "map.gpkg").unlink()
    (annex / "maps" / "other.gpkg").write_text("x")
    (annex.parent / "session" / "alarms.csv").unlink()
    (annex.parent / "session" / "sweeps" / "b.npz").write_text("x")
    assert reasons(annex) == {
        "maps/map.gpkg": "missing",
        "maps/other.gpkg": "extra: the manifest does not name it",
        "input session/alarms.csv": "missing",
        "input session/sweeps/b.npz": "extra: it was not there",
    }
    (annex / HASHES).unlink()
    assert reasons(annex)[HASHES] == "missing"
    (annex / MANIFEST).unlink()
    assert reasons(annex) == {MANIFEST: "missing"}


def test_a_link_is_no_file(annex):
    """A file replaced by a link to the same bytes is not what was written."""
    path = annex / "annex.html"
    path.rename(annex.parent / "elsewhere.html")
    path.symlink_to(annex.parent / "elsewhere.html")
    assert reasons(annex) == {"annex.html": "changed: a link, not a file"}


def test_the_manifest_cannot_be_rewritten_in_part(annex):
    """New hashes without new links, or a manifest that lies about itself, are found."""
    path = annex / MANIFEST
    document = json.loads(path.read_text())
    (annex / "annex.html").write_text("other")
    digest = hashlib.sha512(b"other").hexdigest()
    row = next(row for row in document["files"] if row["name"] == "annex.html")
    row["sha512"], row["size"] = digest, 5
    del document["sha512"]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    document["sha512"] = hashlib.sha512(text.encode()).hexdigest()
    path.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n")
    assert reasons(annex) == {MANIFEST: "changed: its links do not form a chain"}


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"files": 3}', "\xff"])
def test_a_foreign_manifest_is_no_traceback(annex, text):
    """Whatever stands there, it is named as changed."""
    (annex / MANIFEST).write_text(text, encoding="latin-1")
    assert reasons(annex) == {MANIFEST: reasons(annex)[MANIFEST]}
    assert reasons(annex)[MANIFEST].startswith("changed: ")


def test_the_chain_is_what_the_docs_say(annex):
    """Each link is the hash of the one before and of what is said of the file."""
    document = json.loads((annex / MANIFEST).read_text())
    previous = hashlib.sha512(b"minesense annex 1").hexdigest()
    roles = []
    for row in document["files"]:
        content = [previous, row["role"], row["name"], row["size"], row["sha512"]]
        text = json.dumps(content, separators=(",", ":"))
        previous = hashlib.sha512(text.encode()).hexdigest()
        assert row["link"] == previous
        roles.append(row["role"])
    assert document["head"] == previous
    assert roles == ["input", "input", "configuration", "model", "output", "output"]
    assert signature_block(previous).replace(" ", "") == previous


def test_each_link_depends_on_all_before():
    """A change of the first file changes every link."""
    files = [
        ChainedFile(role="input", name=f"f{k}", size=k, sha512=f"{k:0128x}") for k in range(4)
    ]
    changed = [ChainedFile(role="input", name="f0", size=0, sha512="f" * 128), *files[1:]]
    assert not set(chain(files)) & set(chain(changed))
    assert chain(files[:2]) == chain(files)[:2]


def test_sha512sum_reads_the_list(annex):
    """The list is in the form of the tool that every Linux has."""
    run = subprocess.run(
        ["sha512sum", "--check", "--strict", HASHES],
        cwd=annex,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count(": OK") == 7


def test_bad_files_are_named(tmp_path):
    """Names stay in their folder, each once; the folder holds nothing else."""
    path = tmp_path / "a"
    path.write_text("x")
    for name in ("../a", "/a", "", "a\nb", "a/../../b"):
        with pytest.raises(ValueError, match="Must lead to a file within"):
            chained_file(path, role="output", name=name)
    with pytest.raises(ValueError, match="Invalid role 'guess'"):
        chained_file(path, role="guess", name="a")
    file = chained_file(path, role="output", name="a")
    with pytest.raises(ValueError, match="'a' stands 2 times"):
        write_manifest(tmp_path, [file, file], statement={})
    with pytest.raises(ValueError, match="it holds 'a', which is no file of this annex"):
        write_manifest(tmp_path, [], statement={})
    with pytest.raises(NotADirectoryError, match="Must be a folder"):
        verify_annex(path)
    with pytest.raises(ValueError, match="Must be 128 small"):
        signature_block("abc")


def test_large_files_are_hashed_in_blocks(tmp_path):
    """Blocks give the hash of the whole."""
    data = bytes(range(256)) * 9000
    (tmp_path / "a").write_bytes(data)
    assert hash_file(tmp_path / "a") == (len(data), hashlib.sha512(data).hexdigest())


def test_an_added_folder_is_found(annex):
    """Even one that holds nothing; those of its own files are known."""
    (annex / "maps" / "more").mkdir()
    found = [str(fault) for fault in verify_annex(annex).faults]
    assert found == ["maps/more/: extra: the manifest names nothing in it"]
