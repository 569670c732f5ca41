#!/usr/bin/env python3
"""fit_columns.py [FILE...]: breaks lines that grew past 120 columns, with clang-format and .clang-format; leaves the
others alone. Without files: all C++ sources that git knows. Prints what it could not break."""
import subprocess
import sys

from tidy import CODE, MAX_COLUMNS


def long_lines(file):
    with open(file, encoding="utf-8") as stream:
        return [number for number, line in enumerate(stream, 1) if len(line.rstrip("\n")) > MAX_COLUMNS]


def main():
    listing = ["git", "ls-files", "-co", "--exclude-standard"]
    files = sys.argv[1:] or subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines()
    left = 0
    for file in (f for f in files if f.endswith(CODE) and not f.endswith(".capnp")):
        for _ in range(3):                                  # a line broken once may still be too long
            lines = long_lines(file)
            if lines:
                subprocess.run(["clang-format", "-i", *(f"--lines={n}:{n}" for n in lines), file], check=True)
        for number in long_lines(file):
            print(f"{file}:{number}: break this one by hand")
            left += 1
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
