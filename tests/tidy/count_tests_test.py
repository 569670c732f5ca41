#!/usr/bin/env python3
"""tools/count_tests.py on what a real ctest writes: passes, failures, skips, programs that are not there."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "count_tests.py"
SKIP = 'set_tests_properties({} PROPERTIES SKIP_REGULAR_EXPRESSION "\\\\[  SKIPPED \\\\]")\n'


def run(tests):
    """Runs ctest on `tests`, a CTestTestfile.cmake, and gives the counter's (exit code, last line)."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "CTestTestfile.cmake").write_text(tests)
        subprocess.run(["ctest", "--test-dir", folder, "--output-junit", "r.xml"], capture_output=True)
        done = subprocess.run([sys.executable, SCRIPT, Path(folder, "r.xml")], capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()[-1]


class Count(unittest.TestCase):
    def test_all_passed(self):
        self.assertEqual(run("add_test(a true)\nadd_test(b true)\n"), (0, "2 passed, 0 failed"))

    def test_a_failure_fails(self):
        self.assertEqual(run("add_test(a true)\nadd_test(b false)\n"), (1, "1 passed, 1 failed"))

    def test_a_skip_is_no_pass(self):
        skip = 'add_test(s echo "[  SKIPPED ] no GPU")\n' + SKIP.format("s")
        self.assertEqual(run("add_test(a true)\n" + skip), (0, "1 passed, 0 failed, 1 skipped"))
        self.assertEqual(run(skip), (1, "0 passed, 0 failed, 1 skipped"))

    def test_a_missing_program_is_a_failure(self):
        self.assertEqual(run("add_test(a true)\nadd_test(b nowhere_to_be_found)\n"), (1, "1 passed, 1 failed"))

    def test_a_timeout_is_a_failure(self):
        self.assertEqual(run("add_test(a sleep 9)\nset_tests_properties(a PROPERTIES TIMEOUT 1)\n"),
                         (1, "0 passed, 1 failed"))

    def test_no_tests_are_a_failure(self):
        self.assertEqual(run(""), (1, "0 passed, 0 failed"))


if __name__ == "__main__":
    unittest.main()
