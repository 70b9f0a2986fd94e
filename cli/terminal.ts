/** What the commands print with. Colour and rewriting of lines only on a terminal; NO_COLOR is honoured (no-color.org). */
export interface Terminal {
  readonly interactive: boolean;
  /** Lines of up to 100 columns can be taken back. */
  readonly rewritable: boolean;
  line(text?: string): void;
  /** Takes the last lines back; only where `rewritable`. */
  eraseLines(count: number): void;
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

export function createTerminal(stream: NodeJS.WriteStream = process.stdout): Terminal {
  // no-color.org: set and not empty.
  const colour = stream.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  const style = (code: number, end: number) => (text: string) =>
    colour ? `\u001b[${code}m${text}\u001b[${end}m` : text;
  return {
    interactive: stream.isTTY === true && process.stdin.isTTY === true,
    rewritable: colour && stream.columns >= 100,
    eraseLines: (count) => {
      // ECMA-48: cursor up, erase to the end of the display.
      if (count > 0) stream.write(`\u001b[${count}A\u001b[J`);
    },
    line: (text = '') => {
      stream.write(`${text}\n`);
    },
    bold: style(1, 22),
    dim: style(2, 22),
    green: style(32, 39),
    red: style(31, 39),
    yellow: style(33, 39),
  };
}

/** Columns padded to the widest cell; the last column is not padded. Cells must be plain text. */
export function table(rows: readonly (readonly string[])[], indent = '  '): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    (
      indent + row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join('  ')
    ).trimEnd(),
  );
}

export function seconds(milliseconds: number): string {
  const value = milliseconds / 1000;
  return value >= 100 ? `${Math.round(value)} s` : `${value.toFixed(1)} s`;
}

/** At most so many columns; what was cut off is told somewhere else. */
export function cut(text: string, columns = 100): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}

/** A long text behind a label, broken at blanks to 100 columns; the following lines are indented to the text. */
export function wrap(label: string, text: string, columns = 100): string[] {
  const lines: string[] = [];
  let line = label;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = ' '.repeat(label.length);
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
