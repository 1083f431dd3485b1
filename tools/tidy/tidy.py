#!/usr/bin/env python3
"""Checks what the house rules promise: layers, raw clocks, threads and mutexes, fuzzers, and words of unfinished work.

LAYERS names, for each folder, the folders that it may include; this reads every #include against it. Guides (file and
function length) are printed and fail nothing.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
BANNED_NAMES = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "impl"}
# Where the operating system and shared state may be touched.
RAW = [
    (re.compile(r"\bstd::(mutex|shared_mutex|recursive_mutex|condition_variable|thread)\b"),
     ("base", "io", "app", "cli", "engine/store", "engine/sandbox", "engine/function"), "threads and locks"),
    (re.compile(r"\b(system_clock|steady_clock)::now\b|\bgettimeofday\(|\btime\(nullptr\)"),
     ("base", "io", "app", "cli", "http", "gateway", "engine/sandbox", "engine/function"), "a real clock"),
    (re.compile(r"\bsleep_for\(|\busleep\("), ("cli", "app", "engine/sandbox"), "sleeping"),
]
UNFINISHED = re.compile(r"\b(FIXME|XXX|TODO(?!\(\w+\)))\b")


def read_layers():
    rules = {}
    for line in (ROOT / "LAYERS").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            folder, _, allowed = line.partition(":")
            rules[folder.strip()] = allowed.split()
    return rules


def room_of(path: str) -> str:
    """The layer that a path below src belongs to: "engine/queue", "service/sqs", "wire"."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] in ("engine", "service") else parts[0]


def allowed_for(room: str, rules) -> list:
    return rules.get(room) or rules.get(room.split("/")[0] + "/*") or []


def may_include(room: str, target: str, rules) -> bool:
    if room == target:
        return True
    for allowed in allowed_for(room, rules):
        if allowed == "*" or allowed == target:
            return True
        if allowed.endswith("/*") and target.startswith(allowed[:-1]):
            return True
    return False


def check_layers(files, rules):
    edges = {}
    for path, text in files.items():
        room = room_of(path)
        if path.endswith(("_test.cc", "_fuzz.cc", "_bench.cc")):
            continue
        for include in INCLUDE.findall(text):
            target = room_of(include)
            if "/" not in include or not (SOURCE / include).exists() and not include.startswith("aws/models/"):
                continue
            edges.setdefault(room, set()).add(target)
            if not may_include(room, target, rules):
                yield f"src/{path}: {room} may not include {include} (LAYERS)"
    yield from find_cycles(edges)


def find_cycles(edges):
    state = {}

    def visit(room, trail):
        state[room] = "open"
        for target in sorted(edges.get(room, ())):
            if target == room:
                continue
            if state.get(target) == "open":
                yield "include cycle: " + " -> ".join(trail[trail.index(target):] + [target])
            elif target not in state:
                yield from visit(target, trail + [target])
        state[room] = "done"

    for room in sorted(edges):
        if room not in state:
            yield from visit(room, [room])


def check_rules(files):
    for path, text in files.items():
        room = room_of(path)
        stem = pathlib.Path(path).stem
        if stem in BANNED_NAMES:
            yield f"src/{path}: a file named {stem} has no single job"
        if UNFINISHED.search(text):
            yield f"src/{path}: unfinished work needs an issue, not a marker"
        if path.endswith(("_fuzz.cc", "_bench.cc")):
            continue
        for pattern, rooms, what in RAW:
            if room not in rooms and pattern.search(text):
                yield f"src/{path}: {what} outside {', '.join(rooms)}"
        if path.endswith("_test.cc") and re.search(r"\bsleep\(|sleep_for|listen\(", text) and room not in ("io", "http", "engine/sandbox"):
            yield f"src/{path}: a unit test neither sleeps nor opens ports"


def guides(files):
    for path, text in sorted(files.items()):
        lines = text.count("\n")
        if lines > (200 if path.endswith(".h") else 400) and not path.endswith("_test.cc"):
            yield f"  {lines:5} lines  src/{path}"


def main() -> int:
    files = {p.relative_to(SOURCE).as_posix(): p.read_text() for p in SOURCE.rglob("*") if p.suffix in (".h", ".cc")}
    problems = list(check_layers(files, read_layers())) + list(check_rules(files))
    for problem in problems:
        print(problem)
    long = list(guides(files))
    if long:
        print(f"guide: {len(long)} of {len(files)} files are longer than 400 lines (headers: 200)")
        print("\n".join(long))
    print(f"{len(problems)} problems in {len(files)} files")
    return 1 if problems else 0


sys.exit(main())
