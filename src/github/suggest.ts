/** Edit distance with transposition (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** The known word nearest to what was written, when it is near enough to be a slip. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 4));
  return (
    known
      .map((candidate) => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
      .filter(({ far }) => far <= limit)
      // Of two equally near ones the one that is as long: "=<" was meant as "<=", not as "<".
      .sort(
        (a, b) =>
          a.far - b.far || Math.abs(a.candidate.length - word.length) - Math.abs(b.candidate.length - word.length),
      )[0]?.candidate
  );
}

/** The known words most like the one that was written, nearest first, however far they are. */
export function closest(word: string, known: readonly string[], count: number): string[] {
  const far = new Map(known.map((candidate) => [candidate, distance(word.toLowerCase(), candidate.toLowerCase())]));
  return [...far]
    .sort(([, a], [, b]) => a - b)
    .slice(0, count)
    .map(([candidate]) => candidate);
}

/** " (did you mean X?)", or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const candidate = nearest(word, known);
  return candidate === undefined ? '' : ` (did you mean ${candidate}?)`;
}
