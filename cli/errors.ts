/** A mistake the user can mend: shown as one sentence, without a stack trace. Exit code 2 for bad usage, 1 for the rest. */
export class UserError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UserError';
    this.exitCode = exitCode;
  }
}

/**
 * The candidate that was most likely meant: the nearest by edit distance when it is near enough, or one that begins so. What
 * stands behind the first hyphen may be meant alone: "clenup" is near "model-cleanup".
 */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const written = word.toLowerCase();
  const near = candidates
    .flatMap((candidate) => {
      const whole = candidate.toLowerCase();
      const tail = /^\w+-(.{3,})/.exec(whole)?.[1];
      return [whole, ...(tail === undefined ? [] : [tail])].map((form) => ({
        candidate,
        distance: editDistance(written, form),
        limit: Math.max(1, Math.min(written.length, form.length) / 3),
      }));
    })
    .filter(({ distance, limit }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)[0]?.candidate;
  const meant =
    near ?? candidates.find((candidate) => written.length > 2 && candidate.toLowerCase().startsWith(written));
  return meant === undefined ? '' : ` Did you mean "${meant}"?`;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment): "stauts" is one away from "status". */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      row[j] = Math.min(
        rows[i - 1]![j]! + 1,
        row[j - 1]! + 1,
        rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity,
      );
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
