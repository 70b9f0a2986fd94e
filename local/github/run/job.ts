import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { dirname, join } from 'node:path';
import type { Conclusion, GitHubOptions, JobRecord, Pace, StepRecord } from '../types.ts';
import { grants } from '../workflow/permissions.ts';
import { addresses, githubContext, runnerContext } from './contexts.ts';
import { JobLog } from './log.ts';
import { Masks } from './masks.ts';
import { timerMilliseconds } from './minutes.ts';
import { preSteps } from './phases.ts';
import { killGroup } from './process.ts';
import type { JobSpec } from './spec.ts';
import { type AbortReason, annotate, evaluation, type Frame, type JobState, type Outcome, type Post } from './state.ts';
import { stepName } from './step-values.ts';
import { runStep } from './steps.ts';
import type { Watchdog } from './watchdog.ts';

/** What every job of this process shares. */
export interface JobServices {
  options: GitHubOptions;
  pace: Pace;
  watchdog: Watchdog;
  /** Makes the folder of programs, once. */
  providePrograms: (folder: string) => Promise<void>;
  loadWorkspaceAction: JobState['loadWorkspaceAction'];
  resolveRepository: JobState['resolveRepository'];
  /** Makes GITHUB_TOKEN and the request token for OIDC good for this job, and takes both back at its end. */
  authorize(job: JobState, tokens: { github: string; request: string }): () => void;
  stepChanged(record: JobRecord, event: { type: 'step-started' | 'step-finished'; step: StepRecord }): void;
  logged(record: JobRecord, line: string): void;
}

export interface JobOutcome {
  conclusion: Extract<Conclusion, 'success' | 'failure' | 'cancelled'>;
  outputs: Record<string, string>;
}

/** GitHub's limit for the outputs of one job, counted as UTF-16. */
const outputLimit = 1024 * 1024;

/** A job on its runner: workspace, steps, post steps, outputs. Never rejects. */
export class RunningJob {
  readonly #services: JobServices;
  readonly #spec: JobSpec;
  readonly #record: JobRecord;
  readonly #runDirectory: string;
  readonly #cancellation = new AbortController();
  readonly #deadline = new AbortController();
  #state: JobState | undefined;
  #timer: NodeJS.Timeout | undefined;
  #grace: number | undefined;
  #reason = 'The operation was canceled.';

  constructor(services: JobServices, spec: JobSpec, record: JobRecord, runDirectory: string) {
    this.#services = services;
    this.#spec = spec;
    this.#record = record;
    this.#runDirectory = runDirectory;
  }

  /** Ends the job as GitHub does: the running step is interrupted, always() and post steps still have their time. */
  cancel(): void {
    if (this.#cancellation.signal.aborted) return;
    if (this.#state) this.#state.status = 'cancelled';
    this.#cancellation.abort('cancelled' satisfies AbortReason);
    const grace = this.#grace ?? this.#services.pace.cancelled;
    this.#timer = setTimeout(() => this.#deadline.abort('deadline' satisfies AbortReason), grace);
  }

  /** Nothing of the job goes on: used when the platform closes. */
  kill(): void {
    this.cancel();
    this.#deadline.abort('deadline' satisfies AbortReason);
    for (const group of this.#state?.groups ?? []) killGroup(group);
  }

  async run(timeoutMinutes: number, graceMinutes?: number): Promise<JobOutcome> {
    if (graceMinutes !== undefined) this.#grace = graceMinutes * this.#services.pace.minute;
    const timer = setTimeout(
      () => {
        this.#reason = `The job running on runner local has exceeded the maximum execution time of ${timeoutMinutes} minutes.`;
        this.cancel();
      },
      timerMilliseconds(timeoutMinutes, this.#services.pace),
    );
    const work = join(this.#runDirectory, 'work', this.#record.log.replace(/^logs\//, '').replace(/\.log$/, ''));
    let release = () => {};
    try {
      const job = await this.#setUp(work);
      this.#state = job;
      const tokens = {
        github: `ghs_${randomBytes(24).toString('base64url').replace(/[-_]/g, 'x')}`,
        request: randomBytes(32).toString('hex'),
      };
      for (const token of Object.values(tokens)) job.masks.add(token);
      release = this.#services.authorize(job, tokens);
      job.github.token = tokens.github;
      this.#grantOidc(job, tokens.request);
      return await this.#steps(job);
    } catch (error) {
      if (this.#state) annotate(this.#state, { level: 'error', message: (error as Error).message });
      else this.#record.annotations.push({ level: 'error', message: (error as Error).message });
      return { conclusion: this.#cancellation.signal.aborted ? 'cancelled' : 'failure', outputs: {} };
    } finally {
      clearTimeout(timer);
      clearTimeout(this.#timer);
      release();
      for (const group of this.#state?.groups ?? []) {
        killGroup(group);
        this.#services.watchdog.remove(group);
      }
      if (!this.#services.options.keepWorkspaces) await rm(work, { recursive: true, force: true }).catch(() => {});
    }
  }

  async #setUp(work: string): Promise<JobState> {
    const { options } = this.#services;
    const { facts } = this.#spec;
    const { name } = facts.repository;
    await rm(work, { recursive: true, force: true });
    const folders = {
      parent: join(work, name),
      workspace: join(work, name, name),
      home: join(work, 'home'),
      temp: join(work, '_temp'),
      toolCache: join(options.directory, 'tool-cache'),
      programs: join(options.directory, 'programs'),
      artifacts: join(this.#runDirectory, 'artifacts'),
    };
    for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true });
    await this.#services.providePrograms(folders.programs);
    const eventPath = join(folders.temp, '_github_workflow', 'event.json');
    await mkdir(dirname(eventPath), { recursive: true });
    await writeFile(eventPath, JSON.stringify(facts.event, null, 2));
    const urls = addresses(options.baseUrl());
    const masks = new Masks();
    const log = new JobLog(
      join(this.#runDirectory, this.#record.log),
      masks,
      () => options.clock.now(),
      (line) => this.#services.logged(this.#record, line),
    );
    const summary = join(this.#runDirectory, this.#record.summary);
    await mkdir(dirname(summary), { recursive: true });
    writeFileSync(summary, '');
    const runner = runnerContext(folders);
    const state: JobState = {
      spec: this.#spec,
      record: this.#record,
      github: {
        ...githubContext(facts, urls),
        job: this.#spec.job.id,
        workspace: folders.workspace,
        event_path: eventPath,
      },
      machine: {
        LANG: 'C.UTF-8',
        PATH: `${folders.programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        USER: 'runner',
        ...options.runnerEnvironment(),
        HOME: folders.home,
        CI: 'true',
        GITHUB_ACTIONS: 'true',
        ...Object.fromEntries(Object.entries(runner).map(([key, value]) => [`RUNNER_${key.toUpperCase()}`, value])),
        RUNNER_WORKSPACE: folders.parent,
      },
      env: new Map(),
      paths: [],
      status: this.#cancellation.signal.aborted ? 'cancelled' : 'success',
      cancellation: this.#cancellation,
      deadline: this.#deadline,
      masks,
      log,
      folders,
      summary,
      tools: options.tools,
      pace: this.#services.pace,
      watchdog: this.#services.watchdog,
      groups: new Set(),
      posts: [],
      uses: new Map(),
      actionState: new Map(),
      loadWorkspaceAction: this.#services.loadWorkspaceAction,
      resolveRepository: this.#services.resolveRepository,
      changed: (event) => this.#services.stepChanged(this.#record, event),
    };
    return state;
  }

  #grantOidc(job: JobState, request: string): void {
    if (!grants(this.#spec.permissions, 'id-token', 'write')) return;
    job.machine.ACTIONS_ID_TOKEN_REQUEST_URL = `${this.#services.options.baseUrl()}/_github/oidc/token?job=${this.#record.id}`;
    job.machine.ACTIONS_ID_TOKEN_REQUEST_TOKEN = request;
  }

  async #steps(job: JobState): Promise<JobOutcome> {
    const { job: definition, planned } = this.#spec;
    const frame: Frame = {
      kind: 'job',
      id: '',
      list: definition.steps,
      inputs: this.#spec.inputs,
      results: new Map(),
      status: 'success',
      signal: this.#cancellation.signal,
      action: {},
      env: new Map(),
    };
    await this.#step(job, {
      name: 'Set up job',
      id: undefined,
      shouldRun: () => true,
      run: async () => this.#describe(job),
    });
    for (const [name, template] of [...planned.workflow.env, ...definition.env]) {
      job.env.set(name, template.evaluateString(evaluation(job, frame)));
    }
    for (const pre of preSteps(job, frame, this.#cancellation.signal)) await this.#step(job, pre);
    for (const step of definition.steps) {
      const record = this.#begin(job, stepName(job, frame, step), step.id);
      const result = await runStep(job, frame, step, record);
      this.#end(job, record, result.conclusion);
    }
    for (let post = job.posts.pop(); post; post = job.posts.pop()) await this.#step(job, post);
    const outputs = this.#outputs(job, frame);
    this.#environmentUrl(job, frame);
    await this.#step(job, { name: 'Complete job', id: undefined, shouldRun: () => true, run: async () => 'success' });
    if (this.#cancellation.signal.aborted) annotate(job, { level: 'error', message: this.#reason });
    return { conclusion: job.status, outputs };
  }

  async #describe(job: JobState): Promise<Outcome> {
    const { permissions, definedBy } = this.#spec;
    job.log.line('This is a simulation of GitHub Actions on this machine.');
    job.log.line(`##[group]GITHUB_TOKEN Permissions`);
    for (const [scope, access] of Object.entries(permissions)) job.log.line(`${scope}: ${access}`);
    job.log.line('##[endgroup]');
    job.log.line(`Uses: ${definedBy.repository}/${definedBy.path}@${definedBy.ref} (${definedBy.sha})`);
    if (platform() !== 'linux')
      job.log.line(`The labels ${this.#record.labels.join(', ')} stand for this machine (${platform()}).`);
    job.log.line(`Complete job name: ${this.#record.name}`);
    return 'success';
  }

  #begin(job: JobState, name: string, id: string | undefined): StepRecord {
    const record: StepRecord = {
      number: job.record.steps.length + 1,
      name,
      status: 'in_progress',
      conclusion: null,
      startedAt: this.#now(),
      completedAt: null,
    };
    if (id !== undefined) record.id = id;
    job.record.steps.push(record);
    job.changed({ type: 'step-started', step: record });
    return record;
  }

  #end(job: JobState, record: StepRecord, conclusion: Outcome): void {
    record.status = 'completed';
    record.conclusion = conclusion;
    record.completedAt = this.#now();
    if (conclusion === 'cancelled') job.status = 'cancelled';
    else if (conclusion === 'failure' && job.status === 'success') job.status = 'failure';
    job.changed({ type: 'step-finished', step: record });
  }

  /** Set-up, pre and post steps: no frame, no continue-on-error. */
  async #step(job: JobState, post: Post): Promise<void> {
    const wanted = () => {
      try {
        return post.shouldRun();
      } catch (error) {
        annotate(job, { level: 'error', message: (error as Error).message });
        return false;
      }
    };
    if (this.#deadline.signal.aborted || !wanted()) return;
    const record = this.#begin(job, post.name, post.id);
    const controller = new AbortController();
    const abort = () => controller.abort('cancelled' satisfies AbortReason);
    const onCancel = () => {
      if (!wanted()) abort();
    };
    if (!this.#cancellation.signal.aborted)
      this.#cancellation.signal.addEventListener('abort', onCancel, { once: true });
    this.#deadline.signal.addEventListener('abort', abort, { once: true });
    let outcome: Outcome;
    try {
      outcome = await post.run(controller.signal);
    } catch (error) {
      annotate(job, { level: 'error', message: (error as Error).message });
      outcome = 'failure';
    } finally {
      this.#cancellation.signal.removeEventListener('abort', onCancel);
      this.#deadline.signal.removeEventListener('abort', abort);
    }
    this.#end(job, record, outcome);
  }

  /** An output that holds a masked value is dropped with a warning, and the job stays green: as on GitHub. */
  #outputs(job: JobState, frame: Frame): Record<string, string> {
    const outputs: Record<string, string> = {};
    let size = 0;
    for (const [name, template] of this.#spec.job.outputs) {
      let value: string;
      try {
        value = template.evaluateString(evaluation(job, frame));
      } catch (error) {
        annotate(job, { level: 'error', message: (error as Error).message });
        job.status = job.status === 'success' ? 'failure' : job.status;
        continue;
      }
      if (value === '') continue;
      if (job.masks.isIn(value)) {
        annotate(job, { level: 'warning', message: `Skip output '${name}' since it may contain secret.` });
        continue;
      }
      size += 2 * (name.length + value.length);
      outputs[name] = value;
    }
    if (size > outputLimit) {
      annotate(job, {
        level: 'error',
        message: `The outputs of job '${this.#spec.job.id}' have ${size} bytes; the limit is ${outputLimit}.`,
      });
      job.status = 'failure';
      return {};
    }
    return outputs;
  }

  #environmentUrl(job: JobState, frame: Frame): void {
    const template = this.#spec.job.environment?.url;
    if (!template) return;
    const url = template.evaluateString(evaluation(job, frame));
    if (url === '') return;
    if (job.masks.isIn(url)) {
      annotate(job, {
        level: 'warning',
        message: `Skip setting environment url as environment '${this.#spec.environment}' may contain secret.`,
      });
    } else job.record.environmentUrl = url;
  }

  #now(): string {
    return this.#services.options.clock.now().toISOString();
  }
}
