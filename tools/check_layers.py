#!/usr/bin/env python3
"""Checks the rules between the layers of the source tree; one line per violation, exit status 1 if any.

The order, lowest first; a file may include what is on its own line or below, siblings never one another:

    runtime/include/tandem/     the public headers: they include public headers only
    runtime/base/
    runtime/context/
    runtime/seam/
    gc/   sched/   netpoll/     siblings
    runtime/boot/
    examples/                   programs; they see the public headers only
    workloads/                  programs that lab and bench both run; they see the public headers only
    lab/  bench/                programs, siblings
    tests/

A source includes the header of its name first, which shows that this includes what it needs.

Two more rules keep platform subtleties in one place each: `thread_local` occurs only in ALLOWED_THREAD_LOCAL
(a compiler keeps its address across a switch to another thread), and the sanitizers' interface headers and
fiber functions only in runtime/context/. Tests are free of both.

An include counts as ours if the file exists in the tree, so <gc/gc.h> of bdwgc is none of ours.
Usage: check_layers.py [ROOT]   (default: the tree that this script is in)
"""
import argparse
import pathlib
import re
import sys
from typing import NamedTuple, Optional

PUBLIC = "runtime/include/tandem/"
# Directory -> rank. Equal ranks are siblings. tests/ is above everything and may include anything.
RANKS = {
    PUBLIC: 0,
    "runtime/base/": 1,
    "runtime/context/": 2,
    "runtime/seam/": 3,
    "gc/": 4,
    "sched/": 4,
    "netpoll/": 4,
    "runtime/boot/": 5,
    "examples/": 6,
    "workloads/": 6,
    "lab/": 7,
    "bench/": 7,
    "tests/": 8,
}
# Written as users of the library write.
USERS = {"examples/", "workloads/"}
ALLOWED_THREAD_LOCAL = "runtime/seam/current_thread.cpp"
SANITIZER_HOME = "runtime/context/"
SUFFIXES = {".h", ".hpp", ".inc", ".cpp", ".cc", ".S"}
# An include is looked up from here, as the compiler does it.
INCLUDE_ROOTS = ("", "runtime/include/")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
THREAD_LOCAL = re.compile(r"\b(thread_local|__thread)\b")
SANITIZER_CALL = re.compile(r"\b(__sanitizer_\w+_switch_fiber|__tsan_\w+_fiber\w*)\b")
# What is no code: raw strings, strings, character literals (not the ' of 1'000), comments.
NO_CODE = re.compile(
    r'R"(?P<tag>[^(\s"\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'"
    r"|//(?:[^\n\\]|\\.)*|/\*.*?\*/",
    re.DOTALL,
)


class Violation(NamedTuple):
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def layer_of(path: str) -> Optional[str]:
    """The directory of RANKS that `path` (relative to the root, with slashes) lies in."""
    return next((layer for layer in RANKS if path.startswith(layer)), None)


def blank_out(match: re.Match) -> str:
    """Replaces text that is no code by blanks of the same number of lines; strings are kept for #include."""
    text = match.group(0)
    return text if text.startswith('"') else "\n" * text.count("\n") + " "


def resolve(root: pathlib.Path, includer: str, name: str, quoted: bool) -> Optional[str]:
    """The file that an #include of `name` names, relative to `root`; None if it is not one of ours."""
    places = [root / include_root / name for include_root in INCLUDE_ROOTS]
    if quoted:
        places.append((root / includer).parent / name)
    for place in places:
        try:
            inside = place.resolve().relative_to(root.resolve())
        except ValueError:
            continue
        if place.is_file():
            return inside.as_posix()
    return None


def include_violation(root: pathlib.Path, path: str, name: str, quoted: bool) -> Optional[str]:
    target = resolve(root, path, name, quoted)
    if target is None:
        return (
            f'"{name}" is not a file of this project: write <{name}> if it is the system\'s'
            if quoted
            else None
        )
    source_layer, target_layer = layer_of(path), layer_of(target)
    if target_layer is None or source_layer is None:
        return None
    expected = target[len("runtime/include/") :] if target_layer == PUBLIC else target
    if name != expected:
        return f'"{name}" is not a path from the project\'s root: write "{expected}"'
    if source_layer == target_layer:
        return None
    if source_layer in USERS and target_layer != PUBLIC:
        return f"{source_layer} may not include {target_layer}: a user sees <tandem/...> only"
    if RANKS[target_layer] >= RANKS[source_layer]:
        return f"{source_layer} may not include {target_layer}"
    return None


def check_file(root: pathlib.Path, path: str) -> list[Violation]:
    layer = layer_of(path)
    text = NO_CODE.sub(blank_out, (root / path).read_text(encoding="utf-8", errors="replace"))
    violations = []
    own_header = path.removesuffix(".cpp") + ".h"
    if not path.endswith(".cpp") or not (root / own_header).is_file():
        own_header = None
    for number, line in enumerate(text.split("\n"), start=1):
        include = INCLUDE.match(line)
        if include:
            if own_header and include.group(1) != own_header:
                violations.append(Violation(path, number, f'the first include should be "{own_header}"'))
            own_header = None
            name, quoted = include.group(1) or include.group(2), include.group(1) is not None
            message = include_violation(root, path, name, quoted)
            if message:
                violations.append(Violation(path, number, message))
            if name.startswith("sanitizer/") and layer not in (SANITIZER_HOME, "tests/"):
                violations.append(
                    Violation(path, number, f"{layer} may not include <{name}>: {SANITIZER_HOME} may")
                )
            continue
        code = re.sub(r'"(?:\\.|[^"\\])*"', '""', line)
        if layer == "tests/":
            continue
        word = THREAD_LOCAL.search(code)
        if word and path != ALLOWED_THREAD_LOCAL:
            violations.append(
                Violation(path, number, f"{word.group(1)} is allowed in {ALLOWED_THREAD_LOCAL} only")
            )
        call = SANITIZER_CALL.search(code)
        if call and layer != SANITIZER_HOME:
            violations.append(Violation(path, number, f"{call.group(1)} is allowed in {SANITIZER_HOME} only"))
    return violations


def source_files(root: pathlib.Path) -> list[str]:
    files = []
    for layer in RANKS:
        for file in (root / layer).rglob("*"):
            if file.suffix in SUFFIXES and file.is_file():
                files.append(file.relative_to(root).as_posix())
    return sorted(files)


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks the rules between the layers of the source tree.")
    parser.add_argument(
        "root", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent
    )
    root = parser.parse_args().root
    files = source_files(root)
    if not files:
        print(
            f"{root}: no sources under {', '.join(RANKS)}: give the root of the project's tree",
            file=sys.stderr,
        )
        return 2
    violations = [violation for path in files for violation in check_file(root, path)]
    for violation in violations:
        print(violation)
    print(f"{len(files)} files checked, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
