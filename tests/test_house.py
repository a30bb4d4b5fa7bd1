"""Check the rules of the house: what is imported, said, documented and registered."""

from __future__ import annotations

import ast
import contextlib
import doctest
import enum
import importlib
import importlib.util
import inspect
import io
import itertools
import math
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import minesense
from minesense.alarm import SAFETY_TEXT
from minesense.stage import LaneStage, Pipeline, Stage

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "minesense"
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

#: Words that could be read as a promise about ground. Part of none: "clearance".
PROMISES = re.compile(r"(?<![a-z])(safe|clear|cleared|free)(?![a-z])", re.IGNORECASE)

#: What must stay out of a first import, and how long it may take.
HEAVY = ("sklearn", "scipy.signal", "matplotlib")
MAX_IMPORT_SECONDS = 0.4

#: Public functions whose one line and signature say it all.
NEEDS_NO_EXAMPLE = {
    "minesense.report.field_html.field_report": "written by `minesense demo`",
    "minesense.report.recording_html.recording_report": "written by `minesense detect`",
    "minesense.report.recording_figure.section_before_after": "drawn by `minesense detect`",
    "minesense.stage.run_lane": "shown by every stage function",
    "minesense.stage.stream": "shown in the how-to page on streams",
    "minesense.sweep.join": "the inverse of a slice",
    "minesense.sweep.no_traces": "returns nothing to look at",
    "minesense.sweep.track_length": "one number, in the first line",
    "minesense.training.trainer.train": "run by the README and the how-to page on training",
}


def every_module():
    """Return all modules of the package, private ones included."""
    found = pkgutil.walk_packages(minesense.__path__, "minesense.")
    return [importlib.import_module(item.name) for item in found if "__main__" not in item.name]


def is_public(name):
    """Return whether no part of a dotted name is private."""
    return not any(part.startswith("_") for part in name.split("."))


def public_objects(kind):
    """Return {dotted name: object} of what public modules define themselves."""
    return {
        f"{module.__name__}.{name}": thing
        for module in every_module()
        if is_public(module.__name__)
        for name, thing in inspect.getmembers(module, kind)
        if is_public(name) and thing.__module__ == module.__name__
    }


def sources():
    """Return (path, syntax tree) of every module of the package."""
    return [(path, ast.parse(path.read_text())) for path in sorted(PACKAGE.rglob("*.py"))]


def words_of(name):
    """Return an identifier as words: snake_case and CamelCase taken apart."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").lower()


# What is imported

#: Prints how long a start takes in seconds, then what of HEAVY it loaded.
START = """
import contextlib, io, runpy, sys, time
start = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
    {statement}
seconds = time.perf_counter() - start
loaded = [name for name in {heavy} if name in sys.modules]
assert "minesense" in sys.modules and ({quiet} or "usage" in said.getvalue())
print(seconds, *loaded)
"""
HELP = "sys.argv = ['minesense', '--help']; runpy.run_module('minesense', run_name='__main__')"


@pytest.mark.parametrize(
    ("statement", "quiet"), [("import minesense", True), (HELP, False)], ids=["import", "help"]
)
def test_starting_is_quick_and_loads_nothing_heavy(statement, quiet):
    """Neither the first import nor the help waits for scikit-learn and the like."""
    script = START.format(statement=statement, heavy=HEAVY, quiet=quiet)
    seconds = []
    for _ in range(3):
        command = [sys.executable, "-c", script]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        first, *loaded = result.stdout.split()
        assert loaded == []
        seconds.append(float(first))
    assert min(seconds) < MAX_IMPORT_SECONDS


def test_names_of_the_first_hour_stay_what_they_are():
    """A function named like a module would be replaced by it once that is imported."""
    modules = {item.name for item in pkgutil.iter_modules(minesense.__path__)}
    functions = set(minesense.__all__) - set(minesense._MODULES)
    assert functions & modules == set()
    assert set(minesense._MODULES) <= modules
    assert set(minesense._NAMES.values()) <= modules


def lint_imports(root):
    """Run import-linter on the package below a folder; return its exit code and words."""
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [str(LINT_IMPORTS), "--no-cache", "--no-logo"]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=root, env=environment
    )
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def package_copy(tmp_path):
    """Return a folder with a copy of the package and its contracts, to be spoilt."""
    shutil.copytree(
        PACKAGE, tmp_path / "minesense", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_import_contracts_hold(package_copy):
    """Imports point one way; the copy shows that a spoilt one is what fails below."""
    code, said = lint_imports(package_copy)
    assert code == 0, said


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("gpr", "from minesense.truth import Truth", "The detector never sees the truth"),
        ("detect", "import minesense.synthetic", "The detector never sees the truth"),
        ("stage.py", "from . import score", "The detector never sees the truth"),
        ("_kernels", "import scipy.signal", "Kernels know only numpy and numba"),
        ("truth.py", "from . import stage", "Imports point from later in the flow to earlier"),
    ],
)
def test_import_contracts_can_break(package_copy, module, line, contract):
    """An import that the contracts forbid is found, even one inside a function."""
    path = package_copy / "minesense" / module
    path = path / "spoilt.py" if path.is_dir() else path
    with path.open("a") as file:
        file.write(f"\n\ndef spoilt():\n    {line}\n")
    code, said = lint_imports(package_copy)
    assert code == 1, said
    assert f"{contract} BROKEN" in said


# What is said


def defined_names(tree):
    """Yield every name that a module defines: functions, arguments, classes, variables."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.arg():
                yield node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr


def docstrings(tree):
    """Return the nodes of all strings that stand alone: docstrings."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def promises(tree):
    """Return (line, words) of names and texts of a module that promise something."""
    silent = docstrings(tree)
    found = [(0, name) for name in defined_names(tree) if PROMISES.search(words_of(name))]
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        # Columns, keys and enum values are joined by underscores, as names are.
        if is_text and id(node) not in silent and PROMISES.search(words_of(node.value)):
            found.append((node.lineno, node.value))
    return found


def test_nothing_promises_anything_about_ground():
    """No name, message, column, enum value or text of the report says the words."""
    found = {str(path): promises(tree) for path, tree in sources()}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_no_data_file_promises_anything():
    """Templates and the like, whatever they are written in, do not say the words."""
    found = []
    for path in PACKAGE.rglob("*"):
        if path.suffix in {".html", ".css", ".js", ".svg", ".txt", ".json", ".csv", ".toml"}:
            found += [(path, word) for word in PROMISES.findall(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "page",
    [*sorted((ROOT / "docs").glob("**/*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_no_page_promises_anything(page):
    """Pages for users do not say the words at all, in whatever sense."""
    lines = page.read_text().splitlines()
    said = [f"{k}: {line}" for k, line in enumerate(lines, 1) if PROMISES.search(line)]
    assert said == []


def test_no_method_of_evidence_promises_anything():
    """What records of evidence offer and return as column names does not say the words."""
    from minesense import evidence  # noqa: PLC0415 - loaded for this test alone

    said = [
        f"{name}.{member}"
        for name in evidence.__all__
        for member in [name, *dir(getattr(evidence, name))]
        if PROMISES.search(words_of(member)) and not member.startswith("__")
    ]
    assert said == []


def test_no_enum_value_promises_anything():
    """Members of enums, computed ones included, do not say the words."""
    enums = [thing for thing in public_objects(inspect.isclass).values() if is_enum(thing)]
    assert enums
    said = [f"{member.name} {member.value}" for thing in enums for member in thing]
    assert [text for text in said if PROMISES.search(words_of(text))] == []


def is_enum(thing):
    """Return whether a class is an enum."""
    return issubclass(thing, enum.Enum)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def is_safe(): pass", 1),
        ("class ClearCell: pass", 1),
        ("def f(*, free_area): pass", 1),
        ("self.cleared_m2 = 1", 1),
        ("COLUMNS = ('easting_m', 'cleared')", 1),
        ("f'{x} is Safe.'", 1),
        ("'clearance and land release are carefree'", 0),
        ("def f():\n    'Free the buffer.'", 0),
    ],
)
def test_the_search_for_promises_finds_them(source, count):
    """The search finds the words in all places and leaves longer words alone."""
    assert len(promises(ast.parse(source))) == count


def test_the_readme_warns():
    """The safety text stands in the README, word for word, and makes no promise."""
    readme = " ".join((ROOT / "README.md").read_text().replace("\n>", "\n").split())
    assert SAFETY_TEXT in readme
    assert not PROMISES.search(SAFETY_TEXT)


# What is documented


def test_every_public_name_has_a_docstring():
    """Public functions, classes, methods and properties say what they are."""
    silent = []
    for name, thing in public_objects(
        lambda x: inspect.isfunction(x) or inspect.isclass(x)
    ).items():
        members = {name: thing}
        if inspect.isclass(thing):
            members |= {
                f"{name}.{key}": getattr(value, "__func__", value)
                for key, value in vars(thing).items()
                if is_public(key) and isinstance(value, FUNCTIONS)
            }
        silent += [key for key, value in members.items() if not inspect.getdoc(value)]
    assert silent == []


FUNCTIONS = (type(words_of), property, classmethod, staticmethod)


def offered_functions():
    """Return {name: function} of what packages offer, and of modules beside them."""
    functions = public_objects(inspect.isfunction)
    parents = {item.name: item.ispkg for item in pkgutil.iter_modules(minesense.__path__)}
    offered = {}
    for name, function in functions.items():
        _, parent, *_ = name.split(".")
        package = importlib.import_module(f"minesense.{parent}")
        is_offered = function.__name__ in getattr(package, "__all__", ())
        if is_offered or (not parents[parent] and parent != "cli"):
            offered[name] = function
    return offered


def test_every_public_function_shows_an_example():
    """A function that a package offers has an example that runs, or a reason for none."""
    functions = offered_functions()
    assert set(NEEDS_NO_EXAMPLE) <= set(functions)
    bare = {
        name for name, thing in functions.items() if ">>> " not in (inspect.getdoc(thing) or "")
    }
    assert sorted(bare - set(NEEDS_NO_EXAMPLE)) == []


@pytest.mark.parametrize(
    "page",
    sorted((ROOT / "docs").glob("**/*.md")),
    ids=lambda page: str(page.relative_to(ROOT / "docs")),
)
def test_pages_run(page):
    """Code on the pages of the documentation does what the page says."""
    result = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8"
    )
    assert result.failed == 0
    if page.parent.name == "how-to" and page.name != "index.md":
        assert result.attempted > 0


@pytest.mark.parametrize(
    "page",
    sorted((ROOT / "docs").glob("**/*.md")),
    ids=lambda page: str(page.relative_to(ROOT / "docs")),
)
def test_pages_refer_to_what_exists(page):
    """Names that pages link to are defined where they say, or the link would lead nowhere."""
    modules = {module.__name__: module for module in every_module()}
    named = re.findall(r"\{(?:class|func|meth|data)\}`([^`]+)`", page.read_text())
    for text in named:
        name = re.sub(r".*<(.+)>", r"\1", text).removeprefix("~")
        if not name.startswith("minesense."):
            continue
        home = max(x for x in modules if name.startswith(f"{x}."))
        thing = modules[home]
        for part in name.removeprefix(f"{home}.").split("."):
            thing = getattr(thing, part)
        assert getattr(thing, "__module__", home) == home, name


def blocks(text):
    """Return (language, content) of the fenced blocks of a page, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run_blocks(text):
    """
    Run the python blocks of a page in one namespace, in order.

    Returns
    -------
    pairs : list of (str, str)
        For each block of text right after a python block: printed, and shown.
    """
    namespace, pairs, printed = {"__name__": "__main__"}, [], None
    for language, content in blocks(text):
        if language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(content, "README.md", "exec"), namespace)  # noqa: S102
            printed = out.getvalue()
        elif language == "text" and printed is not None:
            pairs.append((printed.strip(), content.strip()))
            printed = None
    return pairs


def assert_alike(printed, shown):
    """
    Fail unless two pages have the same lines, and figures that agree within a tenth or 3.

    One machine gives the same bytes each time. Another processor may round a sine the other
    way, and so turn a place at the edge of a threshold, but no more than a few.
    """
    figure = re.compile(r"\d+(?:\.\d+)?")
    assert len(printed.splitlines()) == len(shown.splitlines())
    for ours, theirs in zip(printed.splitlines(), shown.splitlines(), strict=True):
        if ours.startswith("Worst stratum"):  # which one it is hangs on single targets
            assert theirs.startswith("Worst stratum")
            continue
        assert re.split(r">=|\d", ours)[0].split() == re.split(r">=|\d", theirs)[0].split()
        for a, b in zip(figure.findall(ours), figure.findall(theirs), strict=False):
            small = 3 if "." not in a + b else 0.05
            assert math.isclose(float(a), float(b), rel_tol=0.1, abs_tol=small), (ours, theirs)


@pytest.mark.endtoend
def test_the_readme_runs(tmp_path, monkeypatch):
    """The lines of the README print what the README shows."""
    monkeypatch.chdir(tmp_path)
    pairs = run_blocks((ROOT / "README.md").read_text())
    assert pairs, "the README shows no code with its output"
    for printed, shown in pairs:
        assert_alike(printed, shown)


@pytest.mark.parametrize(
    "other", ["Pd  0.70  0.6 to 0.8   40 of 47", "FAR  0.85  0.6 to 0.8   40 of 47", ""]
)
def test_pages_that_differ_are_noticed(other):
    """A figure by more than a tenth, a word, a line."""
    page = "Pd  0.85  0.6 to 0.8   40 of 47"
    assert_alike(page, "Pd  0.86  0.6 to 0.8   41 of 47")
    with pytest.raises(AssertionError):
        assert_alike(page, other)


def test_blocks_run_in_one_namespace():
    """A page that shows something else than it prints is found."""
    page = "```python\nx = 2\n```\n```python\nprint(x)\n```\n\n```text\n{}\n```\n"
    assert run_blocks(page.format(2)) == [("2", "2")]
    assert run_blocks(page.format(3)) == [("2", "3")]


# What is registered


def is_stage(thing):
    """Return whether a class makes the promises of a stage."""
    has_methods = all(
        callable(getattr(thing, name, None)) for name in ("process", "flush", "reset")
    )
    return has_methods and hasattr(thing, "latency")


def flat(stage):
    """Yield a stage, or the stages that it is made of."""
    if isinstance(stage, Pipeline):
        for inner in stage.stages:
            yield from flat(inner)
    else:
        yield stage


def test_every_stage_is_registered():
    """Each stage of the package is in the table of the shared suite."""
    suite = importlib.import_module("test_every_stage")
    tested = {type(inner) for new, _ in suite.STAGES.values() for inner in flat(new())}
    stages = {
        thing
        for name, thing in public_objects(inspect.isclass).items()
        if is_stage(thing) and thing not in (Stage, LaneStage, Pipeline)
    }
    assert {thing.__qualname__ for thing in stages - tested} == set()


def test_a_citation_names_this_version():
    """The version stands in one file of the package, and CITATION.cff agrees."""
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [minesense.__version__]


def test_constraints_pin_every_requirement():
    """What pyproject.toml asks for is pinned, by name and version and nothing else."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    pinned = {normal(line.partition("==")[0]) for line in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *itertools.chain.from_iterable(extras)]
    names = {normal(re.match(r"[\w.-]+", item)[0]) for item in wanted}
    assert names - pinned == {"minesense"}


def normal(name):
    """Return the name of a distribution as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


# What is tracked


@pytest.fixture
def tracked_files():
    """Return the tool that looks through tracked files."""
    return load_tool("check_tracked_files")


def load_tool(name):
    """Return a module of tools/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("see https://" + "pypi" + ".org/simple", "names an index host"),
        ("pip install --" + "index-url x", "sets an index"),
        ("PIP_" + "EXTRA_INDEX_URL=x", "sets an index"),
        ("data = '/" + "home/someone/data'", "names a home"),
        ("cd /" + "root/work", "names a home"),
    ],
)
def test_hosts_and_homes_are_found(tracked_files, tmp_path, line, reason):
    """A file that would work on one machine only is named, with the line."""
    path = tmp_path / "note.txt"
    path.write_text(f"fine\n{line}\n")
    (found,) = tracked_files.faults([path])
    assert found.startswith(f"{path}:2: {reason}")


def test_relative_paths_are_allowed(tracked_files, tmp_path):
    """Paths within the project, and addresses with a folder called home, are not."""
    path = tmp_path / "note.txt"
    path.write_text("docs/home/page\nhttps://example.org/home/page\n~/data\n")
    assert list(tracked_files.faults([path])) == []
