import type { PipelineExecutionStep } from '@aws-sdk/client-sagemaker';
import type { Host } from '../../src/github/host.ts';
import { jobOf } from '../../src/pipelines/jobs.ts';
import type { RunListener } from '../../src/pipelines/request.ts';
import type { Output } from './interface.generated.ts';

const finals = ['Succeeded', 'Failed', 'Stopped'];
/** What happened to the pipeline, as the output and the summary say it. */
export const past = { create: 'created', update: 'updated', unchanged: 'unchanged' } as const;

/** Seconds between two times for people: "0.6 s", "2 min 5 s". */
export function duration(start: Date | undefined, end: Date | undefined): string {
  if (start === undefined || end === undefined) return '';
  const seconds = Math.max(0, (end.getTime() - start.getTime()) / 1_000);
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Tells the log and the outputs what happens, as it happens. */
export function listenerFor(host: Host<Output>): RunListener {
  const { logger } = host;
  const running = new Set<string>();
  let executionArn = '';
  const where = () => (running.size === 0 ? 'between steps' : `at ${[...running].join(', ')}`);
  return {
    info: logger.info,
    pipeline(arn, action) {
      host.output('pipeline-arn', arn);
      host.output('pipeline-changed', past[action]);
      logger.info(`Pipeline ${arn}: ${past[action]}.`);
    },
    planned(arn, action) {
      host.output('pipeline-arn', arn);
      host.output('pipeline-changed', past[action]);
      logger.info(`Dry run: pipeline ${arn} ${action === 'unchanged' ? 'is unchanged' : `would be ${past[action]}`}.`);
    },
    execution(started, stop) {
      executionArn = started.executionArn;
      host.output('execution-arn', executionArn);
      logger.info(`Execution ${executionArn}: ${started.how}.`);
      host.operation({
        resource: executionArn,
        describe: () => `execution ${executionArn} is ${where()}`,
        resume: 're-run this job to attach to it',
        stop,
      });
    },
    step(step: PipelineExecutionStep) {
      const name = step.StepName ?? '';
      const status = step.StepStatus ?? '';
      if (!finals.includes(status)) {
        running.add(name);
        const job = jobOf(step);
        logger.info(`${name}: ${status.toLowerCase()}${job === undefined ? '' : ` (${job.arn})`}`);
        return;
      }
      running.delete(name);
      const notes = [
        step.CacheHitResult?.SourcePipelineExecutionArn === undefined ? '' : 'cached',
        step.Metadata?.Condition?.Outcome === undefined ? '' : `outcome ${step.Metadata.Condition.Outcome}`,
        (step.AttemptCount ?? 0) > 1 ? `attempt ${step.AttemptCount}` : '',
      ].filter((note) => note !== '');
      const note = notes.length === 0 ? '' : `  ${notes.join(', ')}`;
      // Two spaces and a word: the lines that show progress to somebody who only watches.
      logger.info(`  ${name.padEnd(16)} ${status.padEnd(10)} ${duration(step.StartTime, step.EndTime)}${note}`);
    },
  };
}
