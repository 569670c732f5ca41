#!/usr/bin/env python3
"""The scripts in tools/ and deploy/: syntax, help, refusals, and the table of results."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = [f"{m}@{k}" for m in ("recall", "ndcg") for k in (5, 10, 20)]


def run(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True)


class Shell(unittest.TestCase):
    def test_every_script_parses(self):
        scripts = [*ROOT.glob("tools/*.sh"), *ROOT.glob("deploy/*.sh"), ROOT / ".ci/run"]
        self.assertGreaterEqual(len(scripts), 7)
        for script in scripts:
            self.assertEqual(run("bash", "-n", script).stderr, "", script)

    def test_help_and_unknown_options(self):
        for name in ("setup", "test", "quickstart", "fetch_data"):
            shown = run(ROOT / f"tools/{name}.sh", "--help")
            self.assertEqual(shown.returncode, 0, name)
            self.assertIn(f"tools/{name}.sh", shown.stdout)
            refused = run(ROOT / f"tools/{name}.sh", "--nonsense")
            self.assertEqual(refused.returncode, 2, name)
            self.assertIn(f"{name}.sh", refused.stderr)

    def test_mpirun_wants_a_configuration(self):
        self.assertEqual(run(ROOT / "deploy/mpirun.sh", "/nowhere.toml").returncode, 2)


class Table(unittest.TestCase):
    def table(self, *arguments):
        return run(sys.executable, ROOT / "tools/results_table.py", *arguments)

    def test_rows_of_one_model_and_of_several(self):
        with tempfile.TemporaryDirectory() as folder:
            one, many = Path(folder, "one.json"), Path(folder, "many.json")
            one.write_text(json.dumps({"metrics": {c: 0.25 for c in COLUMNS}}))
            many.write_text(json.dumps({"metrics": {f"fusion/{c}": i / 10 for i, c in enumerate(COLUMNS)}}))
            lines = self.table(f"popularity={one}", f"fusion={many}").stdout.splitlines()
            self.assertEqual(lines[0].split(), ["Recall@5", "Recall@10", "Recall@20", "NDCG@5", "NDCG@10", "NDCG@20"])
            self.assertEqual(lines[1].split(), ["popularity"] + ["0.2500"] * 6)
            self.assertEqual(lines[2].split(), ["fusion", "0.0000", "0.1000", "0.2000", "0.3000", "0.4000", "0.5000"])

    def test_a_missing_figure_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "a.json")
            file.write_text(json.dumps({"metrics": {"recall@5": 1}}))
            refused = self.table(f"x={file}")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("no recall@10 of x", refused.stderr)
        self.assertEqual(self.table("x=/nowhere.json").returncode, 1)
        self.assertEqual(self.table("x").returncode, 2)


if __name__ == "__main__":
    unittest.main()
