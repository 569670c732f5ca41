#!/usr/bin/env python3
"""Fails on what the folders promise not to do. One function per rule; each yields "path:line: what, and what to do".

Direction:  common/base <- common/{wire,net,comm,data,...} <- {ps, worker, coordinator} <- main.cc, ops, tools, tests
"""
import re
import subprocess
import sys
from pathlib import Path

ROLES = ("ps", "worker", "coordinator")
TOP = ("ops", "tools", "tests")
CODE = (".h", ".cc", ".inc", ".capnp")
SCRIPTS = (".sh", ".py", ".cmake")
MAX_LINES, MAX_COLUMNS, MAX_FUNCTION, MAX_BYTES = 500, 120, 60, 256 * 1024
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')

# A library's headers (pattern on the include) -> the folders that may see them. Tests in tests/ may see all.
LIBRARIES = (
    ("LibTorch", re.compile(r"^(torch|ATen|c10)/"), ("worker/model", "worker/decode", "worker/train", "worker/eval",
                                                     "worker/job", "worker/main.cc", "tools/prepare/encode",
                                                     "tools/baseline", "tools/bench", "cmake")),
    ("MPI", re.compile(r"^mpi\.h$"), ("common/comm",)),
    ("NCCL", re.compile(r"^nccl\.h$"), ("common/comm",)),
    ("ZeroMQ", re.compile(r"^zmq(_addon)?\.(h|hpp)$"), ("common/net",)),
    ("Cap'n Proto", re.compile(r"^(capnp|kj)/"), ("common/wire",)),
)
LIBRARIES_OF_TESTS = {"LibTorch": ("ps",)}      # a row optimizer's test compares with LibTorch's own

# Built from halves so that this file does not trip over itself.
NAMES = "|".join(("ho" "me", "ro" "ot", "wo" "rk", "Us" "ers"))
MACHINE_PATHS = re.compile(rf"(?<![\w.\-*)}}])/(?:{NAMES})\b")
HOSTS = re.compile("|".join(("pypi" r"\.org", "python" "hosted", "deb" r"\.debian", "download" r"\.pytorch",
                             "hugging" r"face\.co", "conda" r"\.io")))
TO_DO = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
GOOD_TO_DO = re.compile(r"\bTO" r"DO\((perf|safety|later)\): \S")


def folder(path):
    return path.rpartition("/")[0]


def under(path, folders):
    return any(path == f or path.startswith(f + "/") for f in folders)


def is_main(path):
    return path.endswith("/main.cc")


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(2)


def sources(tree):
    return ((path, text) for path, text in tree.items() if path.endswith(CODE))


def arrow(path, target):
    """Why `path` may not include `target`, or None. Both are paths from the top of the repository."""
    area, to = path.split("/")[0], target.split("/")[0]
    if under(path, ("common/base",)) and not under(target, ("common/base",)):
        return "common/base includes nothing of ours"
    if under(path, ("common/net",)) and under(target, ("common/wire",)):
        return "common/net moves bytes and knows no schema"
    if area == "common" and to != "common":
        return "common knows no role and no program"
    if area in ROLES and to in ROLES and to != area:
        return "the roles never include each other; share through common"
    if area in ROLES and to in TOP:
        return f"{area} lies below {to}"
    if under(path, ("coordinator/core",)) and under(target, ("coordinator/journal", "coordinator/server")):
        return "the core knows no file, socket or page"
    if under(path, ("coordinator/journal",)) and under(target, ("coordinator/server",)):
        return "what is on disk is read without a server"
    testing = under(target, ("coordinator/testing",))
    if testing and not path.endswith("_test.cc") and not under(path, ("coordinator/testing", "tests")):
        return "only tests include parts for tests"
    if area != "tests" and to == "tests":
        return "only tests include tests"
    return None


def direction(tree):
    for path, text in sources(tree):
        for line, target in includes(text):
            if target.split("/")[0] in ("common", *ROLES, *TOP):
                why = arrow(path, target)
                if why:
                    yield f"{path}:{line}: includes {target}; {why}"


def cycles(tree):
    """Folders of common must not include each other in a circle."""
    edges = {}
    for path, text in sources(tree):
        for line, target in includes(text):
            a, b = "/".join(path.split("/")[:2]), "/".join(target.split("/")[:2])
            if a.startswith("common/") and b.startswith("common/") and a != b:
                edges.setdefault(a, {}).setdefault(b, f"{path}:{line}")

    def visit(node, trail):
        for nxt, place in edges.get(node, {}).items():
            if nxt == trail[0]:
                yield f"{place}: closes the circle {' -> '.join([*trail, nxt])}; move what both need below them"
            elif nxt not in trail and nxt > trail[0]:                # each circle once, from its first name
                yield from visit(nxt, [*trail, nxt])

    for node in sorted(edges):
        yield from visit(node, [node])


def libraries(tree):
    for path, text in sources(tree):
        if under(path, ("tests",)):
            continue
        for line, target in includes(text):
            for name, pattern, allowed in LIBRARIES:
                extra = LIBRARIES_OF_TESTS.get(name, ()) if path.endswith("_test.cc") else ()
                if pattern.match(target) and not under(path, (*allowed, *extra)):
                    yield f"{path}:{line}: includes {target}; only {', '.join(allowed)} see {name}"


def generated(tree):
    for path, text in sources(tree):
        for line, target in includes(text):
            if target.endswith(".capnp.h") and not under(path, ("common/wire",)):
                yield f"{path}:{line}: includes {target}; only common/wire sees generated types, use messages.h"


def folders(tree):
    for place in sorted({folder(path) for path, _ in sources(tree) if folder(path)}):
        for file in ("README.md", "CMakeLists.txt"):
            if f"{place}/{file}" not in tree and not (place == "cmake"):
                yield f"{place}:1: has code and no {file}; add it (tests/tidy/README.md shows the form)"


def sizes(tree):
    for path, text in tree.items():
        if not path.endswith(CODE + SCRIPTS):
            continue
        lines = text.splitlines()
        if len(lines) > MAX_LINES:
            yield f"{path}:{MAX_LINES}: {len(lines)} lines, at most {MAX_LINES}; which second thing is in here?"
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS:
                yield f"{path}:{number}: {len(line)} columns, at most {MAX_COLUMNS}; break the line"


NO_FUNCTION = re.compile(r"(inline )?(namespace|class|struct|enum|union|extern \"C\"|template <.*> (class|struct))\b")


def functions(text):
    """(first line, length) of each block that starts at column 0 and is no namespace, type or macro."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if start is None and line.endswith("{") and line[:1] not in (" ", "}", "#", "/", "\t"):
            if not NO_FUNCTION.match(line):
                start = number
        elif start is not None and line.startswith("}"):
            yield start, number - start + 1
            start = None


def function_sizes(tree):
    for path, text in sources(tree):
        for line, length in functions(text):
            if length > MAX_FUNCTION and "std::vector<Key>& table()" not in text.splitlines()[line - 1]:
                yield f"{path}:{line}: a function of {length} lines, at most {MAX_FUNCTION}; split it"


def headers(tree):
    for path, text in tree.items():
        if path.endswith(".h") and "#pragma once" not in text:
            yield f"{path}:1: no #pragma once"


def machine_paths(tree):
    for path, text in tree.items():
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE_PATHS.search(line):
                yield f"{path}:{number}: names a path of one machine; take it from the configuration or the environment"
            if HOSTS.search(line):
                yield f"{path}:{number}: names a package host; the machine's own settings choose it"


def conflicts(tree):
    for path, text in tree.items():
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(r"(<{7}|>{7}) ", line):
                yield f"{path}:{number}: a conflict that nobody resolved"


def todos(tree):
    for path, text in tree.items():
        if not path.endswith(CODE + SCRIPTS):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if TO_DO.search(line) and not GOOD_TO_DO.search(line):
                yield f"{path}:{number}: a to-do without its kind and reason; write (perf|safety|later): why"


# comm: which rank mpirun made this process; the terminal: what it can show
ENVIRONMENT = ("common/config", "common/base/terminal.cc", "common/comm")


def deep_reads(tree):
    """exit() only in a main.cc; environment variables only there, in ENVIRONMENT and in tests."""
    for path, text in sources(tree):
        if is_main(path) or under(path, ("tests",)) or path.endswith("_test.cc"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            code = line.split("//")[0]
            if re.search(r"(?<![\w.>:])(std::|::)?exit\(", code):
                yield f"{path}:{number}: exit() outside main.cc; return a Status"
            if re.search(r"\bgetenv\(", code) and not under(path, ENVIRONMENT):
                yield f"{path}:{number}: reads the environment deep inside; make it a key of the configuration"


RULES = (direction, cycles, libraries, generated, folders, sizes, function_sizes, headers, machine_paths, conflicts,
         todos, deep_reads)


def read_tree(root):
    """Path -> text of every text file that git knows or would add; without git, of every file outside build folders."""
    git = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if git.returncode == 0:
        names = git.stdout.splitlines()
    else:
        names = [str(p.relative_to(root)) for p in Path(root).rglob("*")]
        names = [n for n in names if n.split("/")[0] not in ("build", "run", "data", ".git", ".cache")]
    tree, errors = {}, []
    for name in sorted(names):
        file = Path(root, name)
        if not file.is_file() or file.is_symlink():
            continue
        if file.stat().st_size > MAX_BYTES:
            errors.append(f"{name}:1: over {MAX_BYTES} bytes; data and binaries stay out of the repository")
            continue
        try:
            tree[name] = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            pass                                  # a small binary fixture has no lines to check
    return tree, errors


def check(root):
    tree, errors = read_tree(root)
    for rule in RULES:
        errors += rule(tree)
    return errors, len(tree)


def main():
    errors, files = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    for error in errors:
        print(error)
    print(f"tidy: {files} files, {len(errors)} errors")
    return 1 if errors or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
