#!/usr/bin/env python3
"""python_page.py PAGE: runs the code blocks of docs/python.md, in order, in a folder that holds RUN (a job) and DATA
(its dataset), and checks what they read against one another."""
import re
import sys
from pathlib import Path


def main():
    blocks = re.findall(r"^```python\n(.*?)^```$", Path(sys.argv[1]).read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) >= 7, f"{len(blocks)} blocks"
    page = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"block {number} of {sys.argv[1]}", "exec"), page)  # pylint: disable=exec-used
    items, codes, dense = len(page["catalogue"]), page["codes"], page["dense"]
    assert page["vectors"].shape == (items, 16), page["vectors"].shape
    assert codes.shape[0] == items and len({tuple(path) for path in codes.tolist()}) == items
    assert {name.split(".")[0] for name in dense} == {"model", "m", "v"} and len(dense) == 3 * len(page["weights"])
    assert page["item_rows"] and set(page["item_rows"]) <= set(range(items))
    assert {row.shape for row in page["item_rows"].values()} == {(16,)}
    # Every code of a trained path has a row, and no row belongs to no node.
    assert set(page["code_rows"]) <= set(page["node"].ravel().tolist())
    assert len(page["code_rows"]) > items
    assert page["steps"] == sorted(set(page["steps"])) and page["loss"][-1] < page["loss"][0]
    found = page["json"].loads(page["answer"].stdout)["items"]
    assert len(found) == 5 and all(item["id"] in page["place"] for item in found)
    again = page["tensors"](f"{page['DATA']}/vectors/semantic.safetensors")["embedding"]
    assert (again == page["vectors"]).all(), "vectors that went in by keys in another order"
    print("ok")


if __name__ == "__main__":
    main()
