"""
Check the docstrings of all public names with numpydoc.

The rules are those of [tool.numpydoc_validation] in pyproject.toml, with what they cannot
say: one line is enough where the signature tells the rest, but whoever describes parameters
or gives examples must describe every parameter and what comes back. "As in :func:`other`"
stands for the types and the order that the other function documents.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from numpydoc.hooks.validate_docstrings import parse_config, process_file

#: What only a docstring with sections can break, and the sections of a function that count;
#: in a class, `Raises` and an example are often all that the signature does not say.
OF_SECTIONS = {"PR01", "RT01"}
SECTIONS = ("Parameters\n---", "Returns\n---", "Examples\n---")
#: What is said in the place referred to.
OF_REFERENCES = {"PR03", "PR04", "RT01"}
#: What numpydoc takes from a signature, which a dataclass does not write down.
OF_SIGNATURES = {"PR01", "PR02", "PR03"}


def is_public(name: str) -> bool:
    """Return whether no part of a dotted name is private."""
    return not any(part.startswith("_") for part in name.split("."))


def is_public_file(path: Path, folder: Path) -> bool:
    """Return whether a module is public; a package is if its folder is."""
    parts = path.relative_to(folder).with_suffix("").parts
    return is_public(".".join(parts[:-1] if parts[-1] == "__init__" else parts))


def nodes(tree: ast.AST, prefix: str, owner: ast.AST | None) -> Iterator[tuple]:
    """Yield (dotted name, node, owner) of every class and function below a node."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}.{node.name}"
            yield name, node, owner
            yield from nodes(node, name, node)
        else:
            yield from nodes(node, prefix, owner)


def decorators(node: ast.AST) -> set[str]:
    """Return the last names of what decorates a node."""
    found = set()
    for item in getattr(node, "decorator_list", []):
        target = item.func if isinstance(item, ast.Call) else item
        found.add(target.attr if isinstance(target, ast.Attribute) else target.id)
    return found


def waived(check: str, node: ast.AST, owner: ast.AST | None) -> bool:
    """Return whether a finding does not count for this class or function."""
    text = ast.get_docstring(node) or ""
    marks = decorators(node)
    if check == "SS05":  # a record, a property is named, not told to do something
        return isinstance(node, ast.ClassDef) or bool(marks & {"property", "cached_property"})
    if check in OF_SIGNATURES and "dataclass" in marks:
        return True
    if check in OF_REFERENCES and re.search(r"[Aa]s in :(func|meth):", text):
        return True
    if check in OF_SECTIONS:
        is_function = owner is None and not isinstance(node, ast.ClassDef)
        sections = SECTIONS if is_function else SECTIONS[:1]
        return not any(section in text for section in sections)
    return False


def findings(path: Path, config: dict) -> Iterator[str]:
    """Yield one line for each fault in a file."""
    known = {
        name: (node, owner)
        for name, node, owner in nodes(ast.parse(path.read_text()), path.stem, None)
    }
    for where, name, check, text in process_file(path, config):
        dotted = name if name in known else f"{path.stem}.{name.partition('.')[2]}"
        node, owner = known.get(dotted, (None, None))
        if node is None:  # the module itself
            yield f"{where}: {check} {text}"
        elif is_public(dotted.partition(".")[2]) and not waived(check, node, owner):
            yield f"{where}: {dotted}: {check} {text}"


def main() -> int:
    """Print the faults of all public modules below a folder; return 1 if there are any."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    config = parse_config(Path(__file__).parents[1])
    files = [path for path in sorted(folder.rglob("*.py")) if is_public_file(path, folder)]
    faults = [line for path in files for line in findings(path, config)]
    sys.stdout.writelines(f"{line}\n" for line in faults)
    sys.stdout.write(f"docstrings: {len(faults)} faults in {len(files)} modules\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
