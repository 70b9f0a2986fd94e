import type { Host } from '../../src/github/host.ts';
import { codeSpan, plain } from '../../src/github/summary.ts';
import type { GateReport } from '../../src/registry/gate.ts';

function difference(value: number, champion: number | undefined): string {
  if (champion === undefined) return '';
  const delta = value - champion;
  const percent = champion === 0 ? '' : ` (${((100 * delta) / Math.abs(champion)).toFixed(1)} %)`;
  return `${delta >= 0 ? '+' : ''}${Number(delta.toPrecision(4))}${percent}`;
}

/** The job summary: the decision, every rule, and the model beside the one in production. */
export function summarizeGate(report: GateReport, { summary }: Host<any>): void {
  if (report.package === undefined) return;
  summary.heading(`Model gate: ${report.decision ?? 'not decided'}`);
  const notes = [
    report.unchanged ? 'unchanged' : '',
    report.champion === undefined ? 'nothing is in production yet' : '',
  ];
  const note = notes.filter((text) => text !== '').join(', ');
  summary.text(`${codeSpan(report.package.ModelPackageArn ?? '')}${note === '' ? '' : ` — ${note}`}`);
  if (report.verdicts !== undefined) {
    summary.table(
      ['rule', 'value', 'limit', 'verdict'],
      report.verdicts.map(({ metric, value, limit, passed }) => [
        codeSpan(metric),
        codeSpan(String(value ?? 'missing')),
        plain(limit),
        passed ? '✅ passed' : '❌ missed',
      ]),
    );
  }
  const metrics = Object.entries(report.metrics ?? {}).slice(0, 60);
  if (metrics.length > 0) {
    const champion = report.champion;
    summary.text('### Compared with production');
    summary.table(
      [
        'metric',
        'this model',
        champion === undefined ? 'production' : `production ${codeSpan(champion.arn)}`,
        'difference',
      ],
      metrics.map(([metric, value]) => [
        codeSpan(metric),
        String(value),
        String(champion?.metrics[metric] ?? ''),
        difference(value, champion?.metrics[metric]),
      ]),
    );
  }
  const { artifact } = report;
  if (artifact !== undefined) {
    summary.details(
      'Evidence on record',
      [
        '| what | value |',
        '| --- | --- |',
        `| archive | ${artifact.uris.map(codeSpan).join(' ')} (${artifact.bytes} bytes) |`,
        `| SHA-256 | ${codeSpan(artifact.sha256)} |`,
        `| ETag | ${codeSpan(artifact.etag)} |`,
        `| image digest | ${codeSpan(artifact.imageDigest ?? 'none recorded')} |`,
      ].join('\n'),
    );
  }
}
