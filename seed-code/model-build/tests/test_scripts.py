"""Tests of the jobs' scripts: python -m unittest discover -s tests"""

import hashlib
import json
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "scripts"))

import evaluate
import numpy as np
import preprocess
import xgboost
from columns import FEATURES, features_and_label


def table(path):
    return [line.split(",") for line in path.read_text().splitlines()]


class Columns(unittest.TestCase):
    def test_a_row(self):
        row = "F,0.53,0.42,0.135,0.677,0.2565,0.1415,0.21,9".split(",")
        features, label = features_and_label(row, 1)
        self.assertEqual(label, "9")
        self.assertEqual(dict(zip(FEATURES, features))["length"], "0.53")
        self.assertEqual(features[-3:], ["0", "1", "0"])

    def test_errors_name_line_and_value(self):
        good = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15".split(",")
        with self.assertRaisesRegex(ValueError, "line 7: sex is 'X', known are M, F, I"):
            features_and_label(["X", *good[1:]], 7)
        with self.assertRaisesRegex(ValueError, "line 2: height is '', not a number"):
            features_and_label([*good[:3], "", *good[4:]], 2)
        with self.assertRaisesRegex(ValueError, "line 3: 8 columns instead of 9"):
            features_and_label(good[:8], 3)


class Preprocess(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.base = Path(folder.name)
        (self.base / "input").mkdir()
        self.data = (PROJECT / "data" / "abalone.csv").read_bytes()
        (self.base / "input" / "abalone.csv").write_bytes(self.data)

    def test_the_data_is_the_published_file(self):
        self.assertEqual(
            hashlib.sha256(self.data).hexdigest(), "de37cdcdcaaa50c309d514f248f7c2302a5f1f88c168905eba23fe2fbc78449f"
        )

    def test_every_row_is_in_exactly_one_part(self):
        preprocess.main(self.base)
        parts = {name: table(self.base / name / f"{name}.csv") for name in ("train", "validation", "test")}
        self.assertEqual({name: len(rows) for name, rows in parts.items()}, {"train": 2924, "validation": 627, "test": 626})
        expected = sorted(
            [label, *features] for features, label in preprocess.read_rows(self.base / "input")
        )
        self.assertEqual(sorted(row for rows in parts.values() for row in rows), expected)

    def test_the_split_is_the_same_every_time(self):
        rows = preprocess.read_rows(self.base / "input")
        self.assertEqual(preprocess.split(rows), preprocess.split(rows))
        self.assertNotEqual(preprocess.split(rows), preprocess.split(rows, seed=1))

    def test_a_bad_file_ends_the_job_with_a_sentence(self):
        (self.base / "input" / "more.csv").write_text("Q,1,1,1,1,1,1,1,1\n")
        with self.assertRaisesRegex(SystemExit, "more.csv, line 1: sex is 'Q'"):
            preprocess.main(self.base)

    def test_no_file_ends_the_job_with_a_sentence(self):
        (self.base / "input" / "abalone.csv").unlink()
        with self.assertRaisesRegex(SystemExit, "No CSV rows below"):
            preprocess.main(self.base)


class Evaluate(unittest.TestCase):
    def test_metrics(self):
        metrics = evaluate.regression_metrics(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 6.0]))
        self.assertAlmostEqual(metrics["mse"]["value"], 3.0)
        self.assertAlmostEqual(metrics["rmse"]["value"], 3.0**0.5)
        self.assertAlmostEqual(metrics["mae"]["value"], 1.0)
        self.assertAlmostEqual(metrics["r2"]["value"], 1 - 9 / 2)

    def test_a_run(self):
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder)
            for name in ("model", "test"):
                (base / name).mkdir()
            rng = np.random.default_rng(0)
            features = rng.random((40, len(FEATURES)))
            labels = features[:, 0].round(3)
            rows = np.column_stack([labels, features])
            (base / "test" / "test.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in rows.tolist()))
            booster = xgboost.train({"seed": 0}, xgboost.DMatrix(features, labels), 5)
            booster.save_model(base / "xgboost-model.ubj")
            with tarfile.open(base / "model" / "model.tar.gz", "w:gz") as archive:
                archive.add(base / "xgboost-model.ubj", "xgboost-model")

            evaluate.main(base)

            report = json.loads((base / "evaluation" / "evaluation.json").read_text())
            predictions = np.array(table(base / "evaluation" / "predictions.csv"), dtype=float)[:, 0]
            held_out = np.array(table(base / "evaluation" / "held-out.csv"), dtype=float)
            np.testing.assert_array_equal(held_out, features)
            np.testing.assert_allclose(predictions, booster.predict(xgboost.DMatrix(features)), rtol=1e-7)
            self.assertAlmostEqual(
                report["regression_metrics"]["mse"]["value"], float(((predictions - labels) ** 2).mean()), places=9
            )


if __name__ == "__main__":
    unittest.main()
