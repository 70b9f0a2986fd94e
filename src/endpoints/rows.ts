import { FailureError } from '../failure.ts';

/** Rows that an endpoint is asked, and what the evaluation step answered to the very same rows. */
export interface HeldOut {
  rows: readonly string[];
  predictions: readonly number[];
}

/** Non-empty lines, whatever the line ends. */
export function lines(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

/** Numbers of a text/csv answer: separated by commas or line ends, or as a JSON list. Undefined when anything in it is no number. */
export function parseNumbers(text: string): number[] | undefined {
  const bare = text.trim().replace(/^\[/, '').replace(/\]$/, '');
  if (bare.trim() === '') return undefined;
  const values = bare.split(/[,\n]/).map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  return values.every(Number.isFinite) ? values : undefined;
}

/** Pairs rows with predictions; throws EvidenceMissing when they do not belong together. */
export function pairHeldOut(rowsText: string, predictionsText: string, where: string): HeldOut {
  const rows = lines(rowsText);
  const predictions = lines(predictionsText).map(Number);
  if (rows.length === 0 || predictions.some((value) => !Number.isFinite(value)) || rows.length !== predictions.length) {
    throw new FailureError({
      code: 'EvidenceMissing',
      resource: where,
      cause: `held-out.csv has ${rows.length} rows and predictions.csv ${predictions.length} values; the test needs as many numbers as rows`,
      hint: 'The evaluation step must write both: the rows as the endpoint takes them, and its prediction for each',
    });
  }
  return { rows, predictions };
}

/** `count` rows spread evenly over all of them, the same ones in every run. */
export function sample({ rows, predictions }: HeldOut, count: number): HeldOut {
  if (count >= rows.length) return { rows, predictions };
  const picked = Array.from({ length: count }, (_, index) => Math.floor((index * rows.length) / count));
  return { rows: picked.map((at) => rows[at]!), predictions: picked.map((at) => predictions[at]!) };
}

export interface Comparison {
  /** Largest distance between an answer and its prediction. */
  largest: number;
  /** Row number (from 1) of it. */
  row: number;
  expected: number;
  found: number;
}

/** Compares answers with predictions. Undefined when there is not one answer per row. */
export function compare(answers: readonly number[], predictions: readonly number[]): Comparison | undefined {
  if (answers.length !== predictions.length || answers.length === 0) return undefined;
  let worst = { largest: -1, row: 0, expected: 0, found: 0 };
  answers.forEach((found, index) => {
    const expected = predictions[index]!;
    const distance = Math.abs(found - expected);
    if (distance > worst.largest) worst = { largest: distance, row: index + 1, expected, found };
  });
  return worst;
}
