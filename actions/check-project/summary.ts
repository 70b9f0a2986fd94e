import type { Host } from '../../src/github/host.ts';
import { codeSpan, plain } from '../../src/github/summary.ts';
import type { Checked } from '../../src/project/check.ts';
import type { Comparison, StageChange } from '../../src/project/compare.ts';

/** So many lines of one difference are shown; the rest is counted. */
const shown = 100;

function difference(host: Host<any>, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  const more = lines.length > shown ? [`... ${lines.length - shown} more`] : [];
  host.summary.text(`### ${title}`);
  // GitHub colours + and - only; a changed line is shown with the "!" that it colours as well.
  host.summary.code([...lines.slice(0, shown), ...more].map((line) => line.replace(/^~ /, '! ')).join('\n'), 'diff');
}

function stageLines({ change, stage, accountsAdded, accountsRemoved, lines }: StageChange): string[] {
  return [
    ...(change === 'changed' ? [] : [`${change === 'added' ? '+' : '-'} stage ${stage}`]),
    ...accountsAdded.map((account) => `+ account ${account}`),
    ...accountsRemoved.map((account) => `- account ${account}`),
    ...lines,
  ];
}

function removals(stages: readonly StageChange[]): string[] {
  return stages.flatMap(({ stage, change, accountsRemoved }) => {
    if (accountsRemoved.length === 0) return [];
    // Nothing deploys a stage whose file is gone, and nothing removes what runs there.
    const what =
      change === 'removed'
        ? 'has no file any more: the workflows that name it fail, and what runs there stays until the cleanup workflow removes it'
        : `loses ${accountsRemoved.length === 1 ? 'an account' : `${accountsRemoved.length} accounts`}: the next deployment removes the endpoint there, or refuses when these are more than \`max-removals\` allows`;
    return [`- **${plain(stage)}** ${what}: ${accountsRemoved.map(codeSpan).join(', ')}`];
  });
}

/** The job summary: what is valid, then what a merge changes. */
export function summarizeCheck(checked: Checked, comparison: Comparison | undefined, host: Host<any>): void {
  const { summary } = host;
  const wrong = checked.files.filter(({ failures }) => failures.length > 0).length;
  summary.heading(
    wrong === 0
      ? `Project check: ${checked.files.length} files are valid`
      : `Project check: ${wrong} of ${checked.files.length} files ${wrong === 1 ? 'is' : 'are'} not valid`,
  );
  summary.table(
    ['file', 'says', 'verdict'],
    checked.files.map(({ file, what, failures }) => [
      codeSpan(file),
      plain(what),
      failures.length === 0 ? '✅ valid' : `❌ ${failures.length} ${failures.length === 1 ? 'problem' : 'problems'}`,
    ]),
  );
  if (comparison === undefined)
    summary.text('Compared with nothing: this is no pull request, and no `base` was given.');
  else summarizeComparison(comparison, host);
  if (checked.advice.length > 0) {
    summary.details(
      `Advice (${checked.advice.length})`,
      checked.advice.map(({ file, line, text }) => `- ${codeSpan(`${file}:${line ?? 1}`)} ${plain(text)}`).join('\n'),
    );
  }
}

function summarizeComparison(comparison: Comparison, host: Host<any>): void {
  const { summary } = host;
  const { base, files, steps, pipeline, build, uploads, rules, stages, notes } = comparison;
  summary.text(
    `## What a merge changes\n\nCompared with ${codeSpan(base.slice(0, 12))}, ${files.length === 1 ? '1 file differs' : `${files.length} files differ`}.`,
  );
  const warnings = removals(stages);
  if (warnings.length > 0) summary.text(`### ⚠️ Removed\n\n${warnings.join('\n')}`);
  if ([...uploads].length > 0) {
    summary.table(
      ['upload', 'files that differ'],
      [...uploads].map(([parameter, paths]) => [
        codeSpan(parameter),
        `${paths.slice(0, 10).map(codeSpan).join(', ')}${paths.length > 10 ? ` and ${paths.length - 10} more` : ''}`,
      ]),
    );
  }
  difference(host, 'Steps', steps);
  difference(host, 'Build file', build);
  difference(host, 'Gate rules', rules);
  for (const change of stages)
    difference(host, `Stage ${plain(change.stage)} (${codeSpan(change.file)})`, stageLines(change));
  if (pipeline.length > 0) {
    const more = pipeline.length > shown ? `\n... ${pipeline.length - shown} more` : '';
    summary.details(
      `Pipeline definition (${pipeline.length})`,
      `\`\`\`\`diff\n${pipeline.slice(0, shown).join('\n').replaceAll('````', '')}${more}\n\`\`\`\``,
    );
  }
  const quiet = steps.length + build.length + rules.length + stages.length + uploads.size + pipeline.length === 0;
  // A note tells what could not be compared, which may well be what changes.
  if (quiet && notes.length === 0) summary.text('Neither pipeline, uploads, rules nor stages change.');
  for (const note of notes) summary.text(plain(note));
  if (files.length > 0) {
    summary.details(
      `Files (${files.length})`,
      files
        .slice(0, 300)
        .map(({ path, change }) => `- ${change} ${codeSpan(path)}`)
        .join('\n'),
    );
  }
}
