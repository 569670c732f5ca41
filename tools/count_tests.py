#!/usr/bin/env python3
"""Counts the tests in ctest's JUnit files and prints "N passed, N failed[, N skipped]" as the last line.
A test that ctest could not run at all counts as failed; no test at all is a failure too."""
import sys
import xml.etree.ElementTree as ElementTree

# What ctest writes for a test that skipped itself. Any other reason not to run (no program, disabled) is a failure.
SKIPPED = ("SKIP_REGULAR_EXPRESSION_MATCHED", "SKIP_RETURN_CODE")


def count(files):
    passed, failed, skipped, reasons = 0, [], 0, []
    for file in files:
        for case in ElementTree.parse(file).getroot().iter("testcase"):
            note = case.find("skipped")
            if case.get("status") == "run" and note is None:
                passed += 1
            elif note is not None and note.get("message") in SKIPPED:
                skipped += 1
                reasons.append(case.get("name"))
            else:
                failed.append(case.get("name"))
    return passed, failed, skipped, reasons


def main():
    passed, failed, skipped, reasons = count(sys.argv[1:])
    for name in reasons:
        print(f"skipped: {name}")
    for name in failed:
        print(f"FAILED: {name}")
    if passed + len(failed) == 0:
        print("test.sh: no test was run", file=sys.stderr)
    print(f"{passed} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
