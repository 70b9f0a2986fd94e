import { consoleUrl } from '../../src/aws/partition.ts';
import type { Host } from '../../src/github/host.ts';
import { codeSpan, plain } from '../../src/github/summary.ts';
import { describeChange } from '../../src/pipelines/diff.ts';
import type { RunReport } from '../../src/pipelines/request.ts';
import { duration, past } from './listener.ts';

const marks: Record<string, string> = {
  Succeeded: '✅',
  Failed: '❌',
  Stopped: '⏹️',
  Executing: '⏳',
  Starting: '⏳',
  Stopping: '⏳',
};

/** A bar of the step's place in the execution, twenty characters wide. */
function bar(start: number, end: number, from: number, to: number): string {
  const width = 20;
  const scale = (time: number) => Math.round(((time - from) / Math.max(1, to - from)) * width);
  const [left, right] = [Math.min(width - 1, scale(start)), Math.max(scale(start) + 1, scale(end))];
  return `${'·'.repeat(left)}${'█'.repeat(Math.min(width, right) - left)}${'·'.repeat(Math.max(0, width - right))}`;
}

function steps(report: RunReport, host: Host<any>): void {
  const list = report.state?.steps ?? [];
  if (list.length === 0) return;
  const times = list.map(({ StartTime }) => StartTime?.getTime() ?? 0).filter((time) => time > 0);
  const now = host.clock.now();
  const ends = list.map(({ EndTime }) => EndTime?.getTime() ?? now);
  const [from, to] = [Math.min(...times), Math.max(...ends)];
  host.summary.text('### Steps');
  host.summary.table(
    ['step', 'status', 'time', 'timeline', 'instances', 'billable'],
    list.map((step) => {
      const job = report.jobs?.get(step.StepName ?? '');
      const notes = [
        step.CacheHitResult?.SourcePipelineExecutionArn === undefined ? '' : '(cached)',
        step.Metadata?.Condition?.Outcome === undefined ? '' : `(${step.Metadata.Condition.Outcome})`,
        (step.AttemptCount ?? 0) > 1 ? `(attempt ${step.AttemptCount})` : '',
      ].filter((note) => note !== '');
      return [
        plain(step.StepName ?? ''),
        [marks[step.StepStatus ?? ''] ?? '', step.StepStatus ?? '', ...notes].join(' ').trim(),
        duration(step.StartTime, step.EndTime),
        step.StartTime === undefined
          ? ''
          : codeSpan(bar(step.StartTime.getTime(), step.EndTime?.getTime() ?? now, from, to)),
        job?.instanceType === undefined ? '' : `${job.instanceCount} × ${job.instanceType}`,
        job?.billableSeconds === undefined ? '' : `${Math.round(job.billableSeconds)} s`,
      ];
    }),
  );
  if (report.instanceSeconds !== undefined) {
    host.summary.text(`Together ${Math.round(report.instanceSeconds)} billable instance-seconds.`);
  }
}

function link(text: string, url: string | undefined): string {
  return url === undefined ? codeSpan(text) : `[${codeSpan(text)}](${url})`;
}

/** The job summary: package and metrics first, then what ran, then what changed. Works with whatever the run reached. */
export function summarizeRun(report: RunReport, host: Host<any>): void {
  const { summary } = host;
  if (report.pipelineArn === undefined && report.state === undefined) return;
  summary.heading(report.dryRun ? 'Model build (dry run, nothing was changed)' : 'Model build');
  for (const registered of report.packages ?? []) {
    summary.text(`**Model package** ${codeSpan(registered.arn)} — ${plain(registered.approvalStatus)}`);
    const metrics = Object.entries(registered.metrics);
    if (metrics.length > 0) {
      summary.table(
        ['metric', 'value'],
        metrics.slice(0, 60).map(([metric, value]) => [codeSpan(metric), String(value)]),
      );
    }
  }
  const pipelineName = report.pipelineArn?.split('/').at(-1) ?? '';
  const facts: string[][] = [];
  if (report.pipelineArn !== undefined) {
    const version = report.version === undefined ? '' : `, version ${report.version}`;
    facts.push([
      'pipeline',
      `${codeSpan(report.pipelineArn)} (${report.pipelineAction === undefined ? '' : past[report.pipelineAction]}${version})`,
    ]);
  }
  if (report.started !== undefined && report.region !== undefined) {
    const url = consoleUrl(report.region, `sagemaker/home?region=${report.region}#/pipelines/${pipelineName}`);
    facts.push([
      'execution',
      `${link(report.started.executionArn, url)} (${report.started.how}, ${report.state?.status ?? 'running'})`,
    ]);
  }
  if (report.uploaded !== undefined) {
    facts.push([
      'uploads',
      `${report.uploaded.files} files (${report.uploaded.bytes} bytes), ${report.uploaded.reused} were there already`,
    ]);
  }
  for (const registered of report.packages ?? []) facts.push(['model', codeSpan(registered.modelDataUrl)]);
  if (host.context.sha !== '') facts.push(['commit', codeSpan(host.context.sha)]);
  summary.table(['what', 'which'], facts);
  steps(report, host);
  if (report.parameters !== undefined) {
    const rows = Object.entries(report.parameters).map(([name, value]) => `| ${plain(name)} | ${codeSpan(value)} |`);
    summary.details('Parameters', ['| parameter | value |', '| --- | --- |', ...rows].join('\n'));
  }
  if (report.changes !== undefined && report.changes.length > 0) {
    const lines = report.changes.slice(0, 200).map(describeChange);
    summary.text(`### Changes of the pipeline\n\n\`\`\`\`diff\n${lines.join('\n')}\n\`\`\`\``);
  }
  if (report.advice !== undefined && report.advice.length > 0) {
    summary.details(`Advice (${report.advice.length})`, report.advice.map((line) => `- ${plain(line)}`).join('\n'));
  }
}
