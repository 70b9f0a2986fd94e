import type { Conclusion, JobRecord, RunEvent, RunRecord } from '../types.ts';
import type { Permissions } from '../workflow/permissions.ts';

/** The job records of one attempt: made when a job's turn comes, with file names that stay the same from run to run. */
export class JobRecords {
  readonly #run: RunRecord;
  readonly #now: () => Date;
  readonly #nextId: () => number;
  readonly #emit: (event: RunEvent) => void;

  constructor(options: { run: RunRecord; now: () => Date; nextId: () => number; emit: (event: RunEvent) => void }) {
    this.#run = options.run;
    this.#now = options.now;
    this.#nextId = options.nextId;
    this.#emit = options.emit;
  }

  create(key: string, name: string, permissions: Permissions): JobRecord {
    const folder = `attempt-${this.#run.attempt}`;
    const taken = new Set(this.#run.jobs.map(({ log }) => log));
    const base = fileName(name);
    let file = base;
    for (let index = 2; taken.has(`logs/${folder}/${file}.log`); index++) file = `${base}-${index}`;
    const record: JobRecord = {
      id: this.#nextId(),
      key,
      name,
      status: 'queued',
      conclusion: null,
      createdAt: this.#now().toISOString(),
      startedAt: null,
      completedAt: null,
      steps: [],
      outputs: {},
      annotations: [],
      labels: [],
      permissions,
      log: `logs/${folder}/${file}.log`,
      summary: `summaries/${folder}/${file}.md`,
      attempt: this.#run.attempt,
    };
    this.#run.jobs.push(record);
    return record;
  }

  /** Takes a job of the attempt before over, unchanged. */
  keep(record: JobRecord): void {
    this.#run.jobs.push(record);
  }

  start(record: JobRecord): void {
    record.status = 'in_progress';
    record.startedAt = this.#now().toISOString();
    this.#emit({ type: 'job-started', run: this.#run, job: record });
  }

  finish(record: JobRecord, conclusion: Conclusion, error?: string): void {
    if (error !== undefined) record.annotations.push({ level: 'error', message: error });
    record.status = 'completed';
    record.conclusion = conclusion;
    record.completedAt = this.#now().toISOString();
    this.#emit({ type: 'job-finished', run: this.#run, job: record });
  }
}

/** `build / Run the pipeline` -> `build.Run-the-pipeline` */
function fileName(jobName: string): string {
  const name = jobName.replaceAll(' / ', '.').replace(/[^A-Za-z0-9_.-]+/g, '-');
  return name.replace(/^[-.]+|-+$/g, '') || 'job';
}
