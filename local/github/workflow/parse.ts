import { compileCondition } from '../expressions.ts';
import type { Problem } from './location.ts';
import type { Concurrency, Job, Strategy, Workflow } from './model.ts';
import { parseSteps } from './parse-step.ts';
import { parseTriggers } from './parse-triggers.ts';
import { readPermissions } from './permissions.ts';
import { type Place, places } from './places.ts';
import { type Value, YamlFile } from './yaml.ts';

/** GitHub does not start a workflow file that is larger. */
const maximumBytes = 500 * 1024;

const refusedJobKeys = {
  container: 'jobs run as local processes, there are no containers',
  services: 'jobs run as local processes, there are no service containers',
  defaults: "give each step its 'shell' and 'working-directory'",
  snapshot: 'there are no runner images here',
  'cache-mode': 'there is no cache',
};

const jobKeys = ['name', 'needs', 'if', 'permissions', 'concurrency', 'strategy'] as const;
const normalKeys = [
  'runs-on',
  'environment',
  'env',
  'outputs',
  'timeout-minutes',
  'cancel-timeout-minutes',
  'continue-on-error',
  'steps',
] as const;

/** Reads a workflow file. Everything that is wrong or not supported is added to `problems`. */
export function parseWorkflow(name: string, text: string, problems: Problem[]): Workflow {
  const file = new YamlFile(name, text, problems);
  const { root } = file;
  if (Buffer.byteLength(text) > maximumBytes) root.problem('the file is larger than 500 KB; GitHub does not start it');
  const fields = root.fields(
    'the workflow',
    ['name', 'description', 'run-name', 'on', 'permissions', 'env', 'concurrency', 'jobs'],
    {
      defaults: "give each step its 'shell' and 'working-directory'",
      'cache-mode': 'there is no cache',
    },
  );
  // A file that could not be read has no fields; its syntax errors are enough.
  if (root.isNull) {
    if (problems.length === 0) root.problem('the workflow is empty');
    return {
      name: undefined,
      runName: undefined,
      on: { ignored: [] },
      permissions: undefined,
      env: new Map(),
      concurrency: undefined,
      jobs: [],
    };
  }
  if (!fields.on) root.problem("the workflow has no 'on'");
  if (!fields.jobs) root.problem("the workflow has no 'jobs'");
  const jobs = (fields.jobs?.entries('jobs') ?? []).map(([id, job]) => parseJob(id, job));
  if (fields.jobs && jobs.length === 0) fields.jobs.problem('the workflow has no jobs');
  checkNeeds(jobs, problems);
  return {
    name: fields.name?.plainText('name'),
    runName: fields['run-name']?.template('run-name', places.runName),
    on: fields.on ? parseTriggers(fields.on) : { ignored: [] },
    permissions: fields.permissions ? readPermissions(fields.permissions) : undefined,
    env: fields.env?.templates('env', places.workflowEnv) ?? new Map(),
    concurrency: fields.concurrency ? parseConcurrency(fields.concurrency, places.concurrency) : undefined,
    jobs,
  };
}

function parseJob(id: string, value: Value): Job {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(id) || id.startsWith('__')) {
    value.problem(`the job name '${id}' must start with a letter or _ and hold only letters, digits, - and _`);
  }
  const what = `job '${id}'`;
  const fields = value.fields(what, [...jobKeys, ...normalKeys, 'uses', 'with', 'secrets'], refusedJobKeys);
  const base = {
    id,
    at: value.at,
    name: fields.name?.template('name', places.job),
    needs: fields.needs?.stringList('needs') ?? [],
    if: fields.if ? fields.if.condition('if', places.jobIf) : compileCondition('', value.at, places.jobIf, []),
    permissions: fields.permissions ? readPermissions(fields.permissions) : undefined,
    concurrency: fields.concurrency ? parseConcurrency(fields.concurrency, places.job) : undefined,
    strategy: fields.strategy ? parseStrategy(fields.strategy) : undefined,
  };
  if (fields.uses) {
    for (const key of normalKeys) {
      if (fields[key]) fields[key].problem(`'${key}' cannot stand in a job that calls a workflow`);
    }
    if (fields.secrets) {
      fields.secrets.problem(
        fields.secrets.scalar === 'inherit'
          ? "'secrets: inherit' is not supported locally: there are no secrets"
          : "'secrets' of a call is not supported locally: there are no secrets",
      );
    }
    return {
      ...base,
      kind: 'call',
      uses: fields.uses.plainText('uses'),
      with: fields.with?.templates('with', places.job) ?? new Map(),
    };
  }
  for (const key of ['with', 'secrets'] as const) {
    if (fields[key]) fields[key].problem(`'${key}' belongs to a job that calls a workflow with 'uses'`);
  }
  if (!fields['runs-on']) value.problem(`${what} needs 'runs-on' or 'uses'`);
  if (!fields.steps) value.problem(`${what} has no steps`);
  return {
    ...base,
    kind: 'normal',
    runsOn: (fields['runs-on'] ? checkRunsOn(fields['runs-on']) : value.file.value(null, value.at)).tree(
      'runs-on',
      places.job,
    ),
    environment: fields.environment ? parseEnvironment(fields.environment) : undefined,
    env: fields.env?.templates('env', places.jobEnv) ?? new Map(),
    outputs: fields.outputs?.templates('outputs', places.jobOutput) ?? new Map(),
    timeoutMinutes: fields['timeout-minutes']?.template('timeout-minutes', places.job),
    cancelTimeoutMinutes: fields['cancel-timeout-minutes']?.template('cancel-timeout-minutes', places.job),
    continueOnError: fields['continue-on-error']?.template('continue-on-error', places.job),
    steps: fields.steps ? parseSteps(fields.steps, 'job') : [],
  };
}

function checkRunsOn(value: Value): Value {
  if (value.isMap) value.problem("runner groups in 'runs-on' are not supported locally; name a label");
  for (const label of value.isList ? value.items('runs-on') : [value]) {
    if (typeof label.scalar === 'string') refuseLabel(label.scalar, (message) => label.problem(message));
  }
  return value;
}

/** This machine is neither Windows nor (for a Linux label) anything that can pretend. Expressions are checked when the job starts. */
export function refuseLabel(label: string, report: (message: string) => void): void {
  if (/^(windows|macos)(-|$)/i.test(label))
    report(`runner '${label}' is not supported locally; jobs run on this machine as ubuntu-*`);
}

function parseEnvironment(value: Value) {
  if (!value.isMap) return { name: value.template('environment', places.job), url: undefined };
  const fields = value.fields('environment', ['name', 'url', 'deployment']);
  if (!fields.name) value.problem("environment needs a 'name'");
  // Deployments are not recorded locally, with or without `deployment: false`.
  fields.deployment?.template('environment.deployment', places.job);
  return {
    name: (fields.name ?? value.file.value(null, value.at)).template('environment.name', places.job),
    url: fields.url?.template('environment.url', places.environmentUrl),
  };
}

function parseConcurrency(value: Value, place: Place): Concurrency {
  if (!value.isMap)
    return { group: value.template('concurrency', place), cancelInProgress: undefined, queue: 'single' };
  const fields = value.fields('concurrency', ['group', 'cancel-in-progress', 'queue']);
  if (!fields.group) value.problem("concurrency needs a 'group'");
  const queue = fields.queue?.plainText('queue') ?? 'single';
  if (queue !== 'single' && queue !== 'max')
    fields.queue!.problem(`concurrency queue '${queue}' must be single or max`);
  if (queue === 'max' && fields['cancel-in-progress']?.scalar === true) {
    fields.queue!.problem("concurrency cannot combine 'queue: max' with 'cancel-in-progress: true'");
  }
  return {
    group: (fields.group ?? value.file.value(null, value.at)).template('concurrency.group', place),
    cancelInProgress: fields['cancel-in-progress']?.template('cancel-in-progress', place),
    queue: queue === 'max' ? 'max' : 'single',
  };
}

function parseStrategy(value: Value): Strategy {
  const fields = value.fields('strategy', ['matrix', 'fail-fast', 'max-parallel']);
  return {
    matrix: fields.matrix?.tree('matrix', places.strategy),
    failFast: fields['fail-fast']?.template('fail-fast', places.strategy),
    maxParallel: fields['max-parallel']?.template('max-parallel', places.strategy),
  };
}

function checkNeeds(jobs: Job[], problems: Problem[]): void {
  const byId = new Map(jobs.map((job) => [job.id.toLowerCase(), job]));
  const done = new Set<Job>();
  const visit = (job: Job, path: Job[]): void => {
    if (done.has(job)) return;
    if (path.includes(job)) {
      problems.push({
        ...job.at,
        message: `job '${job.id}' needs itself: ${[...path, job].map(({ id }) => id).join(' -> ')}`,
      });
      return;
    }
    for (const name of job.needs) {
      const needed = byId.get(name.toLowerCase());
      if (needed) visit(needed, [...path, job]);
      else problems.push({ ...job.at, message: `job '${job.id}' needs the unknown job '${name}'` });
    }
    done.add(job);
  };
  for (const job of jobs) visit(job, []);
}
