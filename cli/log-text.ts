import type { JobRecord } from '../local/github/types.ts';

/** Why a job has printed nothing. */
export function withoutLines(job: JobRecord): string {
  if (job.status === 'waiting') {
    return `(waits for a reviewer of ${job.environment ?? 'its environment'}: answer in the terminal of npm start)`;
  }
  const told = job.annotations.map(({ message }) => message).join(' ');
  return told === '' ? '(nothing)' : `(did not run: ${told})`;
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'", nbsp: ' ' };

/** GitHub's Markdown without the HTML that only a browser shows. */
export function plainMarkdown(text: string): string {
  return text
    .replace(/<summary>(.*?)<\/summary>/g, '$1:')
    .replace(/<\/?code>/g, '`')
    .replace(/<br ?\/?>/g, ' ')
    .replace(/<\/?(?:details|pre|b|i|sub|sup)(?: [^>]*)?>/g, '')
    .replace(/&(lt|gt|amp|quot|#39|nbsp);/g, (_, name: string) => entities[name]!)
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** A job's log from the step that failed on, without times and what only the runner reads. */
export function fromFailedStep(text: string, job: JobRecord): string {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z ?/, ''))
    .filter((line) => !line.startsWith('::add-mask::') && line !== '##[endgroup]');
  const failed = job.steps.find(({ conclusion }) => conclusion === 'failure')?.name;
  const start = failed === undefined ? -1 : lines.lastIndexOf(`##[group]${failed}`);
  return lines
    .slice(Math.max(0, start))
    .map((line) => line.replace(/^##\[group\]/, '-- ').replace(/^##\[(error|warning|notice)\]/, '$1: '))
    .join('\n');
}
