"""Splits the Abalone data into train, validation and test, as the XGBoost algorithm wants them: label first, no header.

The split comes first and nothing is fitted on the data, so the test rows cannot leak into the model. Runs in a SageMaker
processing job and, with BASE set to another folder, anywhere else.
"""

import csv
import os
import random
from pathlib import Path

from columns import features_and_label

BASE = Path(os.environ.get("BASE", "/opt/ml/processing"))
SHARES = {"train": 0.7, "validation": 0.15}  # the rest is for the test
SEED = 0


def read_rows(folder):
    """All rows of all CSV files of the folder, in the order of file names and lines."""
    rows = []
    for path in sorted(folder.rglob("*.csv")):
        with path.open(newline="") as file:
            for line, row in enumerate(csv.reader(file), start=1):
                if row:
                    try:
                        rows.append(features_and_label(row, line))
                    except ValueError as error:
                        raise SystemExit(f"{path.name}, {error}") from None
    if not rows:
        raise SystemExit(f"No CSV rows below {folder}")
    return rows


def split(rows, seed=SEED):
    """Shuffles with a seed of its own, so every run gets the same parts: {"train": rows, "validation": rows, "test": rows}."""
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    parts, start = {}, 0
    for name, share in SHARES.items():
        end = start + round(share * len(shuffled))
        parts[name] = shuffled[start:end]
        start = end
    return {**parts, "test": shuffled[start:]}


def write_rows(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([label, *features] for features, label in rows)


def main(base=BASE):
    rows = read_rows(base / "input")
    for name, part in split(rows).items():
        write_rows(base / name / f"{name}.csv", part)
        print(f"{name}: {len(part)} of {len(rows)} rows")


if __name__ == "__main__":
    main()
