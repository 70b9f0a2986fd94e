"""Text in the forms that SageMaker's XGBoost algorithm takes, as arrays; shared by the training and serving stand-ins."""

import csv

import numpy as np


class DataError(ValueError):
    """The data is not what its content type says; the message is for the user."""


def delimiter_of(line):
    """The container sniffs the delimiter from the first line; a line of one number has none."""
    try:
        return csv.Sniffer().sniff(line[:512]).delimiter
    except csv.Error:
        try:
            float(line)
        except ValueError:
            raise DataError(f"Could not determine delimiter on line {line[:50]}") from None
        return ","


def number(text):
    text = text.strip()
    return float(text) if text else float("nan")


def parse_csv(text, source="the data"):
    """Rows of numbers; an empty field is a missing value."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return np.empty((0, 0), dtype=np.float32)
    delimiter = delimiter_of(lines[0])
    rows = []
    for count, line in enumerate(lines, start=1):
        try:
            rows.append([number(field) for field in line.split(delimiter)])
        except ValueError as error:
            raise DataError(f"{source}, line {count}: {error}; CSV data holds numbers only and has no header") from None
        if len(rows[-1]) != len(rows[0]):
            raise DataError(f"{source}, line {count}: {len(rows[-1])} columns instead of {len(rows[0])}")
    return np.array(rows, dtype=np.float32)


def parse_libsvm(text, source="the data"):
    """(labels, sparse matrix) of lines `label index:value ...`; a line may lack its label when predictions are asked for."""
    from scipy.sparse import csr_matrix

    labels, data, columns, ends = [], [], [], [0]
    for count, line in enumerate((line for line in text.splitlines() if line.strip()), start=1):
        fields = line.split()
        try:
            labels.append(float(fields.pop(0).partition(":")[0]) if ":" not in fields[0] else float("nan"))
            for field in fields:
                index, _, value = field.partition(":")
                columns.append(int(index))
                data.append(float(value))
        except ValueError:
            raise DataError(
                f"{source}: first line '{line[:50]}...' is not 'LIBSVM' format (line {count})"
            ) from None
        ends.append(len(data))
    width = max(columns, default=-1) + 1
    matrix = csr_matrix((np.array(data, dtype=np.float32), columns, ends), shape=(len(labels), width))
    return np.array(labels, dtype=np.float32), matrix


def content_kind(content_type):
    """'csv' or 'libsvm' of a content type; None for one that the algorithm or this stand-in does not take."""
    name, _, parameters = (content_type or "libsvm").lower().partition(";")
    name = name.strip()
    if name in ("csv", "text/csv"):
        for parameter in parameters.split(";"):
            key, _, value = parameter.partition("=")
            if key.strip() == "label_size" and value.strip() != "1":
                return None
        return "csv"
    if name in ("libsvm", "text/libsvm", "text/x-libsvm"):
        return "libsvm"
    return None
