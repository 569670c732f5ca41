#!/usr/bin/env python3
"""results_table.py NAME=FILE...: a table of Recall and NDCG @5, 10, 20, a row per NAME, out of result files (JSON).
A file holds {"metrics": {"recall@5": ..}} of one model, or "<name>/recall@5" of several (dyad eval --output)."""
import json
import sys

COLUMNS = [f"{metric}@{k}" for metric in ("recall", "ndcg") for k in (5, 10, 20)]


def row(name, file):
    with open(file, encoding="utf-8") as stream:
        document = json.load(stream)
    metrics = document.get("metrics", document)
    values = [metrics.get(f"{name.lower()}/{column}", metrics.get(column)) for column in COLUMNS]
    if None in values:
        missing = COLUMNS[values.index(None)]
        raise KeyError(f"{file}: no {missing} of {name}; is it a result of `dyad eval` or `dyad baseline`?")
    return values


def main():
    pairs = [argument.partition("=") for argument in sys.argv[1:]]
    if not pairs or any(not file for _, _, file in pairs):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        rows = [(name, row(name, file)) for name, _, file in pairs]
    except (OSError, ValueError, KeyError) as error:
        print(f"results_table.py: {error.args[-1] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 1
    heads = [column.replace("recall", "Recall").replace("ndcg", "NDCG") for column in COLUMNS]
    print(f"{'':12}" + "".join(f"{head:>11}" for head in heads))
    for name, values in rows:
        print(f"{name:12}" + "".join(f"{value:11.4f}" for value in values))
    return 0


if __name__ == "__main__":
    sys.exit(main())
