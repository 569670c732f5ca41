#!/usr/bin/env python3
"""The scripts in tools/ and deploy/: syntax, help, refusals, and the table of results."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = [f"{m}@{k}" for m in ("recall", "ndcg") for k in (5, 10, 20)]


def run(*command, env=None):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, env=env)


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

    def test_fuzzing_wants_seconds(self):
        refused = run(ROOT / "tools/test.sh", "--fuzz", "soon")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("not 'soon'", refused.stderr)

    def test_mpirun_wants_a_configuration(self):
        refused = run(ROOT / "deploy/mpirun.sh")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--resume", refused.stderr)

    def test_mpirun_names_the_program_that_is_missing(self):
        refused = run(ROOT / "deploy/mpirun.sh", "/nowhere.toml", env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(refused.returncode, 3)
        self.assertIn("`dyad`", refused.stderr)


# In the place of `dyad`: says what it was asked, and ends its training with the code in the file `end`.
FAKE_DYAD = """#!/bin/sh
echo "$@" >>"$FAKE/said"
[ "$1" = train ] || exit 0
case "$*" in *--resume*) ;; *) ls "$FAKE"/run/quickstart/job 2>/dev/null && echo "old job" >>"$FAKE/said" ;; esac
mkdir -p "$FAKE/run/quickstart/job/checkpoints/step-1"
touch "$FAKE/run/quickstart/job/checkpoints/step-1/manifest.json"
exit $(cat "$FAKE/end")
"""


class Quickstart(unittest.TestCase):
    """The script itself, in a tree where everything that it calls is a fake."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = Path(folder.name)
        for name, text in {"tools/quickstart.sh": (ROOT / "tools/quickstart.sh").read_text(),
                           "build/release/bin/dyad": FAKE_DYAD, "bin/cmake": "#!/bin/sh\n",
                           "tools/setup.sh": "#!/bin/sh\n", "tools/build.sh": "#!/bin/sh\n",
                           "tools/fetch_data.sh": "#!/bin/sh\necho fetched\n",
                           "tools/results_table.py": "print('the table')\n", "deploy/quickstart.toml": ""}.items():
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)

    def quickstart(self, end=0, **environment):
        (self.tree / "end").write_text(str(end))
        (self.tree / "said").write_text("")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("DYAD_")}
        clean |= {"FAKE": str(self.tree), "PATH": f"{self.tree}/bin:{os.environ['PATH']}", **environment}
        ran = subprocess.run([str(self.tree / "tools/quickstart.sh")], capture_output=True, text=True, env=clean)
        said = (self.tree / "said").read_text().splitlines()
        return ran, said, [line for line in said if line.startswith("train")]

    def test_a_stopped_training_is_not_passed_off_as_finished_and_goes_on(self):
        ran, said, _ = self.quickstart(end=7)
        self.assertEqual(ran.returncode, 7, ran.stderr)
        self.assertIn("stopped in stage 'training'", ran.stderr)
        self.assertNotIn("the table", ran.stdout)
        self.assertFalse([line for line in said if line.startswith("eval")])
        ran, said, trained = self.quickstart()
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("--resume", trained[0])
        self.assertNotIn("import", " ".join(said))
        self.assertIn("the table", ran.stdout)
        self.assertEqual(self.quickstart()[2], [])

    def test_a_stopped_training_starts_anew_when_something_has_changed(self):
        self.assertEqual(self.quickstart(end=7)[0].returncode, 7)
        ran, said, trained = self.quickstart(end=7, DYAD_TRAIN_EPOCHS="3")
        self.assertEqual(ran.returncode, 7, ran.stderr)
        self.assertNotIn("--resume", trained[0])
        self.assertNotIn("old job", said)
        (self.tree / "run/quickstart/done/codes").unlink()          # as after a stage that was interrupted
        ran, said, trained = self.quickstart(DYAD_TRAIN_EPOCHS="3")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertNotIn("--resume", trained[0])
        self.assertNotIn("old job", said)

    def test_a_training_that_fails_is_called_a_failure(self):
        ran, _, _ = self.quickstart(end=1)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("stage 'training' failed", ran.stderr)


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
