"""What the columns of the Abalone file mean, and how a row becomes what the model sees."""

NUMERIC = ("length", "diameter", "height", "whole_weight", "shucked_weight", "viscera_weight", "shell_weight")
SEXES = ("M", "F", "I")
FEATURES = (*NUMERIC, *(f"sex_{sex}" for sex in SEXES))


def features_and_label(row, line):
    """One row of the file -> (feature texts, label text). An error names the line and what is wrong with it."""
    if len(row) != len(NUMERIC) + 2:
        raise ValueError(f"line {line}: {len(row)} columns instead of {len(NUMERIC) + 2}")
    sex, *numbers, rings = row
    if sex not in SEXES:
        raise ValueError(f"line {line}: sex is {sex!r}, known are {', '.join(SEXES)}")
    for name, text in zip((*NUMERIC, "rings"), (*numbers, rings)):
        try:
            float(text)
        except ValueError:
            raise ValueError(f"line {line}: {name} is {text!r}, not a number") from None
    # The texts stay as they are: what is written for training is to the last digit what was measured.
    return [*numbers, *("1" if sex == one else "0" for one in SEXES)], rings
