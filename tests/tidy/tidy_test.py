#!/usr/bin/env python3
"""Each rule of tidy.py fails on the smallest tree that breaks it, names the place, and passes on a good tree."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import tidy

FOLDER = {"README.md": "# x\n", "CMakeLists.txt": "\n"}


def errors_of(files, with_folders=True):
    """The errors of a tree of {path: text}, written to a real folder under git."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            target = Path(root, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(text, bytes):
                target.write_bytes(text)
            else:
                target.write_text(text)
            for name, content in FOLDER.items() if with_folders else ():
                (target.parent / name).exists() or (target.parent / name).write_text(content)
        subprocess.run(["git", "init", "-q", root], check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
        return tidy.check(root)[0]


class Rules(unittest.TestCase):
    def fails(self, files, start, part, **options):
        errors = errors_of(files, **options)
        self.assertTrue(any(e.startswith(start) and part in e for e in errors), f"{start} ... {part} not in {errors}")

    def passes(self, files):
        self.assertEqual(errors_of(files), [])

    def test_a_good_tree_has_no_errors(self):
        self.passes({
            "common/base/ids.h": "#pragma once\n#include <vector>\n",
            "common/net/socket.cc": '#include <zmq.hpp>\n#include "common/base/ids.h"\n',
            "common/wire/codec.cc": '#include "common/wire/wire.capnp.h"\n#include <capnp/message.h>\n',
            "ps/table/table.cc": '#include "common/base/ids.h"\n#include "ps/table/table.h"\n',
            "ps/optimizer/adam_test.cc": "#include <torch/torch.h>\n",
            "worker/model/model.cc": "#include <torch/torch.h>\n// TO" "DO(later): needs a second GPU\n",
            "worker/main.cc": '#include "worker/model/model.h"\nint main() {\n  exit(1);\n}\n',
            "ops/train.cc": '#include "coordinator/cut.h"\n#include "tools/prepare/import/import.h"\n',
            "tests/cluster/run_test.cc": '#include "ps/table/table.h"\n#include "worker/model/model.h"\n'})

    def test_arrows_against_the_direction(self):
        for path, target in (("common/base/a.h", "common/net/b.h"), ("common/net/a.cc", "common/wire/m.h"),
                             ("common/data/a.cc", "ps/table/t.h"), ("common/io/a.cc", "tools/x.h"),
                             ("ps/a.cc", "worker/b.h"), ("worker/a.cc", "coordinator/b.h"),
                             ("coordinator/main.cc", "ps/b.h"),
                             ("coordinator/core/a.cc", "coordinator/journal/b.h"),
                             ("coordinator/core/a_test.cc", "coordinator/server/b.h"),
                             ("coordinator/journal/a.cc", "coordinator/server/b.h"),
                             ("coordinator/server/a.cc", "coordinator/testing/b.h"),
                             ("worker/x/a.cc", "ops/command.h"), ("tools/a.cc", "tests/b.h")):
            self.fails({path: f'#pragma once\n#include "{target}"\n'}, f"{path}:2: includes {target};", "")

    def test_a_circle_of_common_folders(self):
        self.fails({"common/net/a.h": '#pragma once\n#include "common/io/b.h"\n',
                    "common/io/b.h": '#pragma once\n#include "common/comm/c.h"\n',
                    "common/comm/c.h": '#pragma once\n#include "common/net/a.h"\n'},
                   "common/io/b.h:2", "circle common/comm -> common/net -> common/io -> common/comm")

    def test_libraries_where_they_do_not_belong(self):
        for path, target in (("common/data/a.cc", "torch/torch.h"), ("ps/table/a.cc", "ATen/ATen.h"),
                             ("worker/rows/a.cc", "c10/x.h"),
                             ("worker/rows/b.cc", "zmq.hpp"), ("worker/train/a.cc", "mpi.h"),
                             ("coordinator/a.cc", "nccl.h"),
                             ("common/net/a.cc", "capnp/message.h"), ("common/data/a_test.cc", "torch/torch.h")):
            self.fails({path: f"#include <{target}>\n"}, f"{path}:1: includes {target};", "only")

    def test_generated_types_outside_wire(self):
        self.fails({"ps/a.cc": '#include "common/wire/wire.capnp.h"\n'}, "ps/a.cc:1", "generated")

    def test_a_folder_without_readme_or_cmake(self):
        self.fails({"ps/table/a.cc": "\n"}, "ps/table:1", "README.md", with_folders=False)
        self.fails({"ps/table/a.cc": "\n"}, "ps/table:1", "CMakeLists.txt", with_folders=False)

    def test_sizes(self):
        self.fails({"ps/a.cc": "\n" * 501}, "ps/a.cc:500", "501 lines")
        self.fails({"ps/a.cc": "int a;" + " " * 110 + "// x\n" + "//" + "x" * 119 + "\n"}, "ps/a.cc:2", "121 columns")
        self.fails({"tools/a.sh": "#" * 121 + "\n"}, "tools/a.sh:1", "121 columns")
        self.fails({"ps/a.cc": "namespace a {\n\nint f(int x) {\n" + "  x++;\n" * 59 + "}\n"},
                   "ps/a.cc:3", "function of 61 lines")
        self.fails({"ps/big.bin": b"\0" * (256 * 1024 + 1)}, "ps/big.bin:1", "stay out of the repository")
        self.passes({"ps/a.cc": "namespace a {\n\nint f(int x) {\n" + "  x++;\n" * 58 + "}\n}\n"})
        self.passes({"ps/a.cc": "struct A {\n" + "  int x;\n" * 90 + "};\n"})

    def test_a_header_without_pragma(self):
        self.fails({"ps/a.h": "int f();\n"}, "ps/a.h:1", "#pragma once")

    def test_paths_and_hosts_of_one_machine(self):
        for text in ("/ho" "me/me/data", '"/ro' 'ot/x"', "cd /wo" "rk/main", "/Us" "ers/me"):
            self.fails({"docs/a.md": text + "\n"}, "docs/a.md:1", "path of one machine")
        self.fails({"tools/a.sh": "pip -i https://pypi" ".org/simple\n"}, "tools/a.sh:1", "package host")
        self.passes({"docs/a.md": "https://example.com/home/x and a/work/b and framework/x\n"})

    def test_a_conflict_left_behind(self):
        self.fails({"CMakeLists.txt": "project(x)\n" + "<" * 7 + " HEAD\n"}, "CMakeLists.txt:2", "conflict")

    def test_a_to_do_without_its_reason(self):
        for text in ("// TO" "DO: later", "// TO" "DO(me): x", "// FIX" "ME", "// TO" "DO(perf):"):
            self.fails({"ps/a.cc": text + "\n"}, "ps/a.cc:1", "to-do")

    def test_exit_and_environment_deep_inside(self):
        self.fails({"ps/a.cc": "void f() { std::exit(1); }\n"}, "ps/a.cc:1", "exit()")
        self.fails({"ps/a.cc": '  auto x = std::getenv("X");\n'}, "ps/a.cc:1", "environment")
        self.passes({"ps/a.cc": "  _exit(127);  // exit() would run handlers twice\n",
                     "common/config/a.cc": '  getenv("X");\n'})


if __name__ == "__main__":
    unittest.main()
