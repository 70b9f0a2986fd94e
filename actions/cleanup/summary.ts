import type { Findings } from '../../src/cleanup/cleanup.ts';
import { countsOf, type Item, inWords, type Kept, type Outcome } from '../../src/cleanup/part.ts';
import { codeSpan, plain, type Summary } from '../../src/github/summary.ts';

const rowLimit = 200;
const itemLimit = 500;

export function listJson(items: readonly Item[]): string {
  return JSON.stringify({ total: items.length, counts: countsOf(items), items: items.slice(0, itemLimit) });
}

function rows(items: readonly Item[], last: (item: Item) => string): string[][] {
  return items
    .slice(0, rowLimit)
    .map((item) => [
      item.kind,
      item.account,
      item.region,
      codeSpan(item.name),
      item.count === undefined ? '' : String(item.count),
      plain(last(item)),
    ]);
}

function table(summary: Summary, head: string, items: readonly Item[], last: (item: Item) => string): void {
  summary.table(['kind', 'account', 'region', 'name', 'count', head], rows(items, last));
  if (items.length > rowLimit) summary.text(`${items.length - rowLimit} more are in the outputs and the log.`);
}

export function summarizeFindings(project: string, findings: Findings, confirmed: boolean, summary: Summary): void {
  const { items, kept, unseen } = findings;
  if (items.length === 0 && unseen.length > 0)
    summary.heading(`Cleanup of ${plain(project)}: nothing found, and not everything could be looked at`);
  else if (items.length === 0) summary.heading(`Cleanup of ${plain(project)}: nothing to do`);
  else if (!confirmed) {
    summary.heading(`Plan: cleanup of ${plain(project)}`);
    summary.text(`Would be removed, in this order: ${inWords(items)}. Nothing has been removed.`);
    table(summary, 'note', items, ({ note }) => note ?? '');
  }
  if (kept.length > 0) {
    summary.text('Found, and not removed:');
    table(summary, 'why', kept, (item) => (item as Kept).because);
  }
}

export function summarizeRemoval(
  project: string,
  removed: readonly Outcome[],
  failures: number,
  summary: Summary,
): void {
  summary.heading(
    failures === 0 ? `Cleanup of ${plain(project)}: done` : `Cleanup of ${plain(project)}: ${failures} things are left`,
  );
  if (removed.length > 0) table(summary, 'done', removed, (item) => (item as Outcome).done.replace(/:$/, ''));
}
