import { appendFileSync } from 'node:fs';

/** GitHub refuses a step's summary above 1 MiB (the step stays green and the summary is lost), so ours stops well below. */
const limit = 900_000;

/** One job summary per action, in Markdown, written once at the end (also after a failure). */
export interface Summary {
  heading(text: string): void;
  text(markdown: string): void;
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  code(text: string, language?: string): void;
  details(title: string, markdown: string): void;
  /** Puts a part before all others: what went wrong is read first. */
  top(markdown: string): void;
  /** Writes what was collected to GITHUB_STEP_SUMMARY and forgets it. Never throws: a summary is no reason to fail. */
  write(): void;
}

/** What would end an address or a cell, in the form that an address may have. */
const inAddress: Readonly<Record<string, string>> = {
  '|': '%7C',
  '`': '%60',
  '\\': '%5C',
  '[': '%5B',
  ']': '%5D',
  '*': '%2A',
};

/**
 * Text for a Markdown cell or line: nothing in it is read as markup, a mention or HTML. GitHub makes links of addresses by itself;
 * a backslash in one would be part of the link.
 */
export function plain(text: string): string {
  return text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .map((part, index) =>
      index % 2 === 0
        ? escaped(part)
        : part.replace(/[|`\\[\]*]/g, (sign) => inAddress[sign]!).replaceAll('&', '&amp;'),
    )
    .join('');
}

function escaped(text: string): string {
  return text
    .replace(/[&<>]/g, (sign) => (sign === '&' ? '&amp;' : sign === '<' ? '&lt;' : '&gt;'))
    .replace(/([\\`*_[\]|~#])/g, '\\$1')
    .replace(/@(?=[A-Za-z0-9])/g, '@\u200b')
    .replace(/\r?\n/g, ' ');
}

/** A code span that survives back-ticks and pipes of a table. */
export function codeSpan(text: string): string {
  return `<code>${text.replace(/[&<>|\n]/g, (sign) => (sign === '\n' ? ' ' : `&#${sign.charCodeAt(0)};`))}</code>`;
}

export function createSummary(file: string | undefined, warn: (message: string) => void): Summary {
  let parts: string[] = [];
  const push = (part: string) => parts.push(part);
  const fence = (text: string): string =>
    '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  const block = (text: string, language: string): string => `${fence(text)}${language}\n${text}\n${fence(text)}`;
  return {
    heading: (text) => push(`## ${text}`),
    text: (markdown) => push(markdown),
    table(head, rows) {
      const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
      push([line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n'));
    },
    code: (text, language = '') => push(block(text, language)),
    details: (title, markdown) => push(`<details><summary>${title}</summary>\n\n${markdown}\n\n</details>`),
    top: (markdown) => parts.unshift(markdown),
    write() {
      if (file === undefined || file === '' || parts.length === 0) return;
      const kept: string[] = [];
      let size = 0;
      for (const part of parts) {
        size += Buffer.byteLength(part) + 2;
        if (size > limit) {
          kept.push(
            `_The rest (${parts.length - kept.length} parts) is left out: GitHub shows at most 1 MiB. The log has it._`,
          );
          break;
        }
        kept.push(part);
      }
      parts = [];
      try {
        appendFileSync(file, `${kept.join('\n\n')}\n\n`, 'utf8');
      } catch (error) {
        warn(`The job summary could not be written: ${(error as Error).message}`);
      }
    },
  };
}
