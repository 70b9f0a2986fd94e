"""Stands in for the program `train` of SageMaker's built-in XGBoost images: the same files, hyperparameters and log lines.

    train_xgboost.py IMAGE_VERSION        e.g. 3.2-0

SAGEMAKER_BASE_DIR is where /opt/ml is, when it cannot be shown at its own place.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path

# Not needed here, and xgboost would import them: training starts three times as fast without.
sys.modules["pandas"] = sys.modules["sklearn"] = None

import numpy as np
import xgboost
from xgboost_data import DataError, content_kind, parse_csv, parse_libsvm

BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


SMALL = 1_000_000  # values


class UserError(Exception):
    """Something that the person who started the job can mend."""


def interval(kind, low=None, high=None, open_low=False, open_high=False):
    def convert(name, text):
        try:
            value = kind(text)
        except ValueError:
            raise UserError(f"Hyperparameter {name}: could not parse value {text!r}") from None
        too_low = low is not None and (value <= low if open_low else value < low)
        too_high = high is not None and (value >= high if open_high else value > high)
        if too_low or too_high:
            raise UserError(f"Hyperparameter {name}: {text} is not in {'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}")
        return value

    return convert


def one_of(*values):
    def convert(name, text):
        if text not in values:
            raise UserError(f"Hyperparameter {name}: {text} is not one of {', '.join(values)}")
        return text

    return convert


def text_list(name, text):
    return [item.strip() for item in text.split(",") if item.strip()]


def as_is(name, text):
    return text


count = interval(int, 0)
positive = interval(int, 1)
flag = interval(int, 0, 1)
real = interval(float, 0)
share = interval(float, 0, 1)
open_share = interval(float, 0, 1, open_low=True)

OBJECTIVES = (
    "binary:logistic binary:logitraw binary:hinge count:poisson multi:softmax multi:softprob rank:pairwise rank:ndcg rank:map "
    "reg:linear reg:squarederror reg:logistic reg:gamma reg:pseudohubererror reg:absoluteerror reg:quantileerror "
    "reg:squaredlogerror reg:tweedie survival:aft survival:cox"
).split()

# Names and ranges as the XGBoost algorithm's documentation lists them.
HYPERPARAMETERS = {
    "num_round": positive,
    "csv_weights": flag,
    "early_stopping_rounds": positive,
    "booster": one_of("gbtree", "gblinear", "dart"),
    "verbosity": interval(int, 0, 3),
    "nthread": positive,
    "eta": share,
    "gamma": real,
    "max_depth": count,
    "min_child_weight": real,
    "max_delta_step": real,
    "subsample": open_share,
    "colsample_bytree": open_share,
    "colsample_bylevel": open_share,
    "colsample_bynode": open_share,
    "lambda": real,
    "alpha": real,
    "tree_method": one_of("auto", "exact", "approx", "hist"),
    "sketch_eps": interval(float, 0, 1, open_low=True, open_high=True),
    "scale_pos_weight": interval(float, 0, open_low=True),
    "updater": as_is,
    "dsplit": one_of("row", "col"),
    "refresh_leaf": flag,
    "process_type": one_of("default", "update"),
    "grow_policy": one_of("depthwise", "lossguide"),
    "max_leaves": count,
    "max_bin": count,
    "predictor": one_of("auto", "cpu_predictor"),
    "monotone_constraints": as_is,
    "interaction_constraints": as_is,
    "sample_type": one_of("uniform", "weighted"),
    "normalize_type": one_of("tree", "forest"),
    "rate_drop": share,
    "one_drop": flag,
    "skip_drop": share,
    "lambda_bias": share,
    "tweedie_variance_power": interval(float, 1, 2, open_low=True, open_high=True),
    "objective": one_of(*OBJECTIVES),
    "num_class": interval(int, 2),
    "base_score": real,
    "eval_metric": text_list,
    "seed": interval(int, -(2**31), 2**31 - 1, open_low=True, open_high=True),
    "num_parallel_tree": positive,
    "save_model_on_termination": one_of("true", "false"),
    "aft_loss_distribution": one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": interval(float, 0, open_low=True),
    "deterministic_histogram": one_of("true", "false"),
    "sampling_method": one_of("uniform", "gradient_based"),
    "_tuning_objective_metric": as_is,
}
ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
NOT_FOR_XGBOOST = ("num_round", "csv_weights", "early_stopping_rounds", "save_model_on_termination", "_tuning_objective_metric")


def validated(given):
    """Typed values of the hyperparameters; UserError for the first that the algorithm would not take."""
    result = {}
    for name, text in given.items():
        # SageMaker adds names of its own for debugging and script mode.
        if name.startswith("sagemaker_"):
            continue
        known = ALIASES.get(name, name)
        if known not in HYPERPARAMETERS:
            raise UserError(f"Extraneous hyperparameter found: {name}")
        if known in result:
            raise UserError(f"Hyperparameter {known} is given twice, once as {name}")
        result[known] = HYPERPARAMETERS[known](name, str(text))
    if "num_round" not in result:
        raise UserError("Missing required hyperparameter: num_round")
    if str(result.get("objective", "")).startswith("multi:") and "num_class" not in result:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    return result


def data_files(folder):
    """Files of the channel, subfolders included; hidden and underscored ones are not data."""
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "_")) and path.stat().st_size > 0
    )


def matrix_of(channel, kind, weights):
    """The channel as DMatrix; None when it holds no data."""
    files = data_files(BASE / "input" / "data" / channel)
    if not files:
        return None
    try:
        if kind == "csv":
            table = np.concatenate([parse_csv(path.read_text(errors="ignore"), path.name) for path in files])
            if weights:
                return xgboost.DMatrix(table[:, 2:], label=table[:, 0], weight=table[:, 1])
            return xgboost.DMatrix(table[:, 1:], label=table[:, 0])
        labels, features = parse_libsvm("\n".join(path.read_text(errors="ignore") for path in files), files[0].name)
        return xgboost.DMatrix(features, label=labels)
    except (DataError, ValueError) as error:
        raise UserError(f"Failed to load {kind} data with exception:\n{error}") from None


CHECKPOINT = "xgboost-checkpoint"
KEPT_CHECKPOINTS = 5


class Checkpoints(xgboost.callback.TrainingCallback):
    """Saves the booster after each round, as xgboost-checkpoint.N; the next job goes on after the newest."""

    def __init__(self):
        config = BASE / "input" / "config" / "checkpointconfig.json"
        self.folder = None
        self.done = 0
        self.model = None
        if config.exists():
            folder = Path(json.loads(config.read_text())["LocalPath"])
            self.folder = BASE / folder.relative_to("/opt/ml")
            self.folder.mkdir(parents=True, exist_ok=True)
            rounds = self.saved()
            if rounds:
                self.done = rounds[-1] + 1
                self.model = xgboost.Booster()
                self.model.load_model(bytearray((self.folder / f"{CHECKPOINT}.{rounds[-1]}").read_bytes()))
                print(f"INFO:root:Resuming from iteration {self.done}", flush=True)

    def saved(self):
        names = (path.name.partition(f"{CHECKPOINT}.")[2] for path in self.folder.glob(f"{CHECKPOINT}.*"))
        return sorted(int(name) for name in names if name.isdigit())

    def after_iteration(self, model, epoch, evals_log):
        if self.folder is not None:
            (self.folder / f"{CHECKPOINT}.{self.done + epoch}").write_bytes(model.save_raw("ubj"))
            for old in self.saved()[:-KEPT_CHECKPOINTS]:
                (self.folder / f"{CHECKPOINT}.{old}").unlink()
        return False


class Report(xgboost.callback.TrainingCallback):
    """Prints each round as the image does, a tab shown as #011, and keeps the booster for an early end."""

    booster = None

    def __init__(self, done):
        self.done = done

    def after_iteration(self, model, epoch, evals_log):
        Report.booster = model
        values = [f"{data}-{name}:{series[-1]:.5f}" for data, log in evals_log.items() for name, series in log.items()]
        print("#011".join([f"[{self.done + epoch}]", *values]), flush=True)
        return False


def early_stopping(parameters, matrices):
    """The image stops early only with a validation channel and an eval_metric, by the last of them, and keeps the best."""
    rounds, metrics = parameters.get("early_stopping_rounds"), parameters.get("eval_metric")
    if not rounds or not metrics or "validation" not in matrices:
        return []
    return [
        xgboost.callback.EarlyStopping(rounds=rounds, data_name="validation", metric_name=metrics[-1], save_best=True)
    ]


def save(booster):
    folder = BASE / "model"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "xgboost-model").write_bytes(booster.save_raw("ubj"))


def train():
    config = BASE / "input" / "config"
    parameters = validated(json.loads((config / "hyperparameters.json").read_text()))
    channels = json.loads((config / "inputdataconfig.json").read_text())
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name in channels:
        if name not in ("train", "validation"):
            raise UserError(f"Extraneous channel found: {name}")
    content_type = channels["train"].get("ContentType")
    kind = content_kind(content_type)
    if kind is None:
        raise UserError(f"{content_type} is not an accepted ContentType of this stand-in: csv, libsvm, text/csv, text/libsvm, text/x-libsvm.")

    matrices = {}
    for name in ("train", "validation"):
        if name in channels:
            matrices[name] = matrix_of(name, kind, parameters.get("csv_weights") == 1 and name == "train")
            if matrices[name] is None:
                path = BASE / "input" / "data" / name
                raise UserError(f"No data in {'training' if name == 'train' else name} channel path {path}")
    print("INFO:sagemaker-xgboost:Single node training.")
    for name, matrix in matrices.items():
        title = "Train" if name == "train" else "Validation"
        print(f"INFO:root:{title} matrix has {matrix.num_row()} rows and {matrix.num_col()} columns", flush=True)

    if parameters.get("save_model_on_termination") == "true":

        def save_and_end(*_):
            if Report.booster is not None:
                save(Report.booster)
            sys.exit(0)

        signal.signal(signal.SIGTERM, save_and_end)

    settings = {name: value for name, value in parameters.items() if name not in NOT_FOR_XGBOOST}
    # Below this, handing rows to threads takes longer than the work itself; the model is the same.
    if matrices["train"].num_row() * matrices["train"].num_col() < SMALL:
        settings.setdefault("nthread", 1)
    if settings.get("objective") == "reg:linear":
        settings["objective"] = "reg:squarederror"
    checkpoints = Checkpoints()
    try:
        booster = xgboost.train(
            settings,
            matrices["train"],
            num_boost_round=max(0, parameters["num_round"] - checkpoints.done),
            xgb_model=checkpoints.model,
            evals=[(matrix, name) for name, matrix in matrices.items()],
            callbacks=[Report(checkpoints.done), checkpoints, *early_stopping(parameters, matrices)],
            verbose_eval=False,
        )
    except xgboost.core.XGBoostError as error:
        raise UserError(f"XGB train call failed with exception:\n {error}") from None
    save(booster)


def main():
    try:
        train()
    except Exception as error:
        (BASE / "output").mkdir(parents=True, exist_ok=True)
        if isinstance(error, UserError):
            text = f"framework error: UserError: {error}"
        else:
            text = f"framework error: {traceback.format_exc()}"
        (BASE / "output" / "failure").write_text(text)
        print(f"ERROR:sagemaker-xgboost:{text}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
