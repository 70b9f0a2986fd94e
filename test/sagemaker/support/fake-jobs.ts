import type { JobResult, JobRunner, JobSpecification } from '../../../local/aws/core/context.ts';

export type Script = (job: JobSpecification) => JobResult | Promise<JobResult>;

export interface FakeJobs extends JobRunner {
  /** Every job that was started, in order. */
  started: JobSpecification[];
  /** What jobs of a step do (their names hold the step's); the last script that fits wins. Default: Completed at once. */
  when(namePart: string, script: Script): void;
  /** Jobs of the step run until they are stopped or `release` is called. */
  block(namePart: string): { release: (result?: JobResult) => void };
  /** What `check` answers. */
  refuse: (kind: JobSpecification['kind'], request: Record<string, any>) => string[];
}

export function createFakeJobs(): FakeJobs {
  const scripts: { part: string; script: Script }[] = [];
  const jobs: FakeJobs = {
    started: [],
    refuse: () => [],
    check: (kind, request) => jobs.refuse(kind, request),
    when(part, script) {
      scripts.unshift({ part, script });
    },
    block(part) {
      const { promise, resolve } = Promise.withResolvers<JobResult>();
      jobs.when(part, () => promise);
      return { release: (result = { status: 'Completed' }) => resolve(result) };
    },
    start(job) {
      jobs.started.push(job);
      const stopped = Promise.withResolvers<JobResult>();
      const script = scripts.find(({ part }) => job.name.includes(part))?.script ?? (() => ({ status: 'Completed' }));
      const run: Promise<JobResult> =
        job.injectedFailure === undefined
          ? Promise.resolve(script(job))
          : Promise.resolve({ status: 'Failed', failureReason: job.injectedFailure });
      return {
        finished: Promise.race([run, stopped.promise]),
        stop: () => stopped.resolve({ status: 'Stopped' }),
      };
    },
  };
  return jobs;
}
