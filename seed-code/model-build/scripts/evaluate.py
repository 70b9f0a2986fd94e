"""Judges the trained model on the held-out rows that neither training nor early stopping has seen.

Writes evaluation.json (the metrics that gate.yml judges), and held-out.csv with predictions.csv: the rows as an endpoint
takes them and what this model answers, by which every deployed endpoint is checked later.
"""

import json
import os
import tarfile
from pathlib import Path

import numpy as np
import xgboost

BASE = Path(os.environ.get("BASE", "/opt/ml/processing"))


def load_model(folder):
    """The booster in model.tar.gz. Its own format, never a pickle: a pickle runs code when it is read."""
    with tarfile.open(folder / "model.tar.gz") as archive:
        content = archive.extractfile("xgboost-model")
        if content is None:
            raise SystemExit("model.tar.gz holds no file xgboost-model")
        booster = xgboost.Booster()
        booster.load_model(bytearray(content.read()))
    return booster


def regression_metrics(labels, predictions):
    """The part of SageMaker's model quality report that regression has; errors are predicted minus measured."""
    errors = predictions - labels
    squared = errors**2
    mse = float(squared.mean())

    def metric(value, deviation):
        return {"value": value, "standard_deviation": deviation}

    return {
        "mse": metric(mse, float(squared.std())),
        "rmse": metric(mse**0.5, "NaN"),
        "mae": metric(float(np.abs(errors).mean()), float(np.abs(errors).std())),
        "r2": metric(1 - float(squared.sum() / ((labels - labels.mean()) ** 2).sum()), "NaN"),
    }


def read_lines(folder):
    return [line for path in sorted(folder.glob("*.csv")) for line in path.read_text().splitlines() if line]


def main(base=BASE):
    lines = read_lines(base / "test")
    table = np.array([line.split(",") for line in lines], dtype=float)
    labels, features = table[:, 0], table[:, 1:]
    predictions = load_model(base / "model").predict(xgboost.DMatrix(features))

    output = base / "evaluation"
    output.mkdir(parents=True, exist_ok=True)
    metrics = regression_metrics(labels, predictions.astype(float))
    (output / "evaluation.json").write_text(json.dumps({"regression_metrics": metrics}, indent=2) + "\n")
    (output / "held-out.csv").write_text("".join(f"{line.split(',', 1)[1]}\n" for line in lines))
    (output / "predictions.csv").write_text("".join(f"{value!r}\n" for value in predictions.tolist()))
    print(f"mse {metrics['mse']['value']:.4f} on {len(labels)} held-out rows")


if __name__ == "__main__":
    main()
