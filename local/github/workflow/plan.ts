import { join } from 'node:path';
import { fromData } from '../expressions.ts';
import type { Origin } from '../origin.ts';
import { directoryOrigin, exists } from '../origin.ts';
import { checkStandIn, standInName } from '../stand-ins/catalog.ts';
import type { Location, Problem } from './location.ts';
import type { Action, CallJob, Job, Step, UsesStep, Workflow, WorkflowInput } from './model.ts';
import { parseWorkflow } from './parse.ts';
import { parseAction } from './parse-action.ts';
import { excess, type Permissions } from './permissions.ts';

/** A workflow file with everything that it calls, read and checked before the first job starts. */
export interface PlannedWorkflow {
  origin: Origin;
  path: string;
  workflow: Workflow;
  /** By job id. */
  calls: Map<string, PlannedWorkflow>;
}

export type PlannedAction =
  | { kind: 'stand-in'; name: string; uses: string }
  | { kind: 'action'; action: Action; origin: Origin | undefined; path: string; directory: string; uses: string }
  /** `./x`: only known once the job's workspace is filled. */
  | { kind: 'workspace'; path: string };

/** Finds the commit for OWNER/REPO@REF, or says why it cannot be used. */
export type Resolve = (repository: string, ref: string) => Promise<Origin | string>;

export interface Plan {
  root: PlannedWorkflow;
  actions: Map<UsesStep, PlannedAction>;
  problems: Problem[];
}

/** GitHub: the top workflow and nine levels below it. */
const maximumDepth = 10;
const maximumWorkflows = 50;

export async function planWorkflow(options: {
  origin: Origin;
  path: string;
  text: string;
  permissions: Permissions;
  resolve: Resolve;
}): Promise<Plan> {
  const planner = new Planner(options.resolve);
  const root = await planner.workflow(options.origin, options.path, options.text, [], `${options.path}`);
  checkPermissions(root, options.permissions, planner.problems);
  return { root, actions: planner.actions, problems: inOrder(planner.problems) };
}

/** By file in the order in which they were read, by line within a file. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  return [...problems].sort(
    (one, other) =>
      files.indexOf(one.file) - files.indexOf(other.file) || one.line - other.line || one.column - other.column,
  );
}

/** An action of the job's workspace, read when its step begins. */
export async function planWorkspaceAction(
  directory: string,
  at: Location,
  resolve: Resolve,
): Promise<{ action: PlannedAction | undefined; actions: Map<UsesStep, PlannedAction>; problems: Problem[] }> {
  const planner = new Planner(resolve);
  const action = await planner.workspaceAction(directory, at);
  return { action, actions: planner.actions, problems: planner.problems };
}

class Planner {
  readonly actions = new Map<UsesStep, PlannedAction>();
  readonly problems: Problem[] = [];
  readonly #resolve: Resolve;
  readonly #origins = new Map<string, ReturnType<Resolve>>();
  readonly #workflows = new Map<string, PlannedWorkflow>();
  readonly #parsedActions = new Map<string, Promise<PlannedAction | undefined>>();

  constructor(resolve: Resolve) {
    // One answer for the whole plan, however often a repository is named.
    this.#resolve = (repository, ref) => {
      const key = `${repository.toLowerCase()}@${ref}`;
      const known = this.#origins.get(key) ?? resolve(repository, ref);
      this.#origins.set(key, known);
      return known;
    };
  }

  async workflow(
    origin: Origin,
    path: string,
    text: string,
    chain: readonly string[],
    name: string,
  ): Promise<PlannedWorkflow> {
    // With the ref as its caller wrote it: job_workflow_ref tells a tag from the commit it stands for.
    const key = `${origin.repository}@${origin.ref}(${origin.sha}):${path}`;
    const known = this.#workflows.get(key);
    if (known) return known;
    const workflow = parseWorkflow(name, text, this.problems);
    const planned: PlannedWorkflow = { origin, path, workflow, calls: new Map() };
    this.#workflows.set(key, planned);
    for (const job of workflow.jobs) {
      if (job.kind === 'call') await this.#call(planned, job, [...chain, key]);
      else for (const step of job.steps) await this.#step(step, origin, []);
    }
    return planned;
  }

  async workspaceAction(directory: string, at: Location): Promise<PlannedAction | undefined> {
    const origin = directoryOrigin({
      directory,
      repository: directory,
      ref: 'workspace',
      sha: 'workspace',
      working: true,
    });
    const planned = await this.#load(origin, '', directory, at, []);
    return planned?.kind === 'action' ? { ...planned, origin: undefined } : planned;
  }

  async #call(caller: PlannedWorkflow, job: CallJob, chain: readonly string[]): Promise<void> {
    const at = job.at;
    const report = (message: string) => void this.problems.push({ ...at, message });
    const target = await this.#callTarget(caller.origin, job.uses);
    if (typeof target === 'string') return report(target);
    const { origin, path } = target;
    const key = `${origin.repository}@${origin.ref}(${origin.sha}):${path}`;
    if (chain.includes(key)) return report(`'${job.uses}' calls itself`);
    if (chain.length >= maximumDepth) return report(`'${job.uses}' is nested more than ${maximumDepth} levels deep`);
    const text = await origin.read(path);
    if (text === undefined)
      return report(`workflow was not found: '${job.uses}' (no ${path} in ${origin.repository} at ${origin.ref})`);
    const name =
      origin.repository === caller.origin.repository && origin.sha === caller.origin.sha
        ? path
        : `${origin.repository}/${path}@${origin.ref}`;
    const planned = await this.workflow(origin, path, text, chain, name);
    if (this.#workflows.size > maximumWorkflows) return report(`more than ${maximumWorkflows} reusable workflows`);
    caller.calls.set(job.id, planned);
    if (!planned.workflow.on.workflowCall)
      return report(`workflow '${job.uses}' cannot be called: it has no 'on: workflow_call'`);
    this.#checkInputs(job, planned.workflow.on.workflowCall.inputs);
  }

  async #callTarget(origin: Origin, uses: string): Promise<{ origin: Origin; path: string } | string> {
    const own = /^(?:\.|\$)\/(.+)$/.exec(uses)?.[1];
    const remote = /^([^/@\s]+\/[^/@\s]+)\/(.+)@([^@\s]+)$/.exec(uses);
    const path = own ?? remote?.[2];
    if (path === undefined)
      return `'${uses}' is no workflow: write OWNER/REPO/.github/workflows/FILE@REF, $/.github/workflows/FILE or ./.github/workflows/FILE`;
    if (!/^\.github\/workflows\/[^/]+\.ya?ml$/.test(path))
      return `'${uses}': workflows can only be called in .github/workflows, without subfolders and @ref of one's own`;
    if (own) return { origin, path };
    const resolved = await this.#resolve(remote![1]!, remote![3]!);
    return typeof resolved === 'string' ? `workflow '${uses}': ${resolved}` : { origin: resolved, path };
  }

  #checkInputs(job: CallJob, inputs: WorkflowInput[]): void {
    const declared = new Map(inputs.map((input) => [input.name.toLowerCase(), input]));
    for (const [name, template] of job.with) {
      const input = declared.get(name.toLowerCase());
      if (!input) {
        this.problems.push({
          ...template.at,
          message: `Invalid input, ${name} is not defined in the referenced workflow.`,
        });
        continue;
      }
      const value = template.literal ? fromData(template.literal) : undefined;
      if (value !== undefined && (input.type === 'number' || input.type === 'boolean') && typeof value !== input.type) {
        this.problems.push({ ...template.at, message: `input '${name}' must be a ${input.type}, not '${value}'` });
      }
    }
    const given = new Set([...job.with.keys()].map((name) => name.toLowerCase()));
    for (const input of inputs) {
      if (input.required && !given.has(input.name.toLowerCase())) {
        this.problems.push({ ...job.at, message: `Input ${input.name} is required, but not provided while calling.` });
      }
    }
  }

  async #step(step: Step, origin: Origin | undefined, chain: readonly string[]): Promise<void> {
    if (step.kind !== 'uses') return;
    const planned = await this.#action(step, origin, chain);
    if (planned) this.actions.set(step, planned);
  }

  async #action(
    step: UsesStep,
    origin: Origin | undefined,
    chain: readonly string[],
  ): Promise<PlannedAction | undefined> {
    const { uses, at } = step;
    const report = (message: string, where = at) => void this.problems.push({ ...where, message });
    // Named already when the file was read.
    if (uses === '' || uses.includes('${{')) return undefined;
    if (uses.startsWith('docker://')) return void report(`'${uses}': Docker images are not supported locally`);
    if (uses.startsWith('./') || uses.startsWith('../')) return { kind: 'workspace', path: uses };
    if (uses.startsWith('$/')) {
      if (uses.includes('@')) return void report(`'${uses}': $/ takes no @ref; it is the commit of this file`);
      if (!origin) return void report(`'${uses}': $/ has no meaning in an action of the workspace`);
      return this.#load(origin, uses.slice(2), uses, at, chain);
    }
    const match = /^([^/@\s]+\/[^/@\s]+)(?:\/([^@\s]+))?@([^@\s]+)$/.exec(uses);
    if (!match)
      return void report(`'${uses}' is no action: write OWNER/REPO@REF, OWNER/REPO/PATH@REF, $/PATH or ./PATH`);
    const [, repository, path = '', ref] = match;
    const standIn = standInName(path ? `${repository}/${path}` : repository!);
    if (standIn) {
      for (const problem of checkStandIn(standIn, step.with)) report(problem.message, problem.at);
      return { kind: 'stand-in', name: standIn, uses };
    }
    const resolved = await this.#resolve(repository!, ref!);
    if (typeof resolved === 'string') return void report(`action '${uses}': ${resolved}`);
    return this.#load(resolved, path, uses, at, chain);
  }

  async #load(
    origin: Origin,
    path: string,
    uses: string,
    at: Location,
    chain: readonly string[],
  ): Promise<PlannedAction | undefined> {
    const key = `${origin.repository}@${origin.sha}:${path}`;
    if (chain.includes(key)) return void this.problems.push({ ...at, message: `action '${uses}' uses itself` });
    const known = this.#parsedActions.get(key);
    if (known) return known;
    const loading = this.#read(origin, path, uses, at, [...chain, key]);
    this.#parsedActions.set(key, loading);
    return loading;
  }

  async #read(
    origin: Origin,
    path: string,
    uses: string,
    at: Location,
    chain: readonly string[],
  ): Promise<PlannedAction | undefined> {
    const folder = path.replace(/\/+$/, '');
    const candidates = ['action.yml', 'action.yaml'].map((file) => (folder ? `${folder}/${file}` : file));
    for (const candidate of candidates) {
      const text = await origin.read(candidate);
      if (text === undefined) continue;
      const action = parseAction(`${origin.repository}/${candidate}@${origin.ref}`, text, this.problems);
      if (!action) return undefined;
      const directory = join(await origin.directory(), folder);
      if (action.runs.kind === 'composite') for (const step of action.runs.steps) await this.#step(step, origin, chain);
      else {
        for (const script of [action.runs.main, action.runs.pre, action.runs.post]) {
          if (script && !(await exists(join(directory, script)))) {
            this.problems.push({
              ...action.at,
              message: `action '${uses}' names the file '${script}', which does not exist`,
            });
          }
        }
      }
      return { kind: 'action', action, origin, path: folder, directory, uses };
    }
    this.problems.push({ ...at, message: `can't find 'action.yml' or 'action.yaml' for action '${uses}'` });
    return undefined;
  }
}

/**
 * GitHub's static check: a called workflow and its jobs may not ask for more than the calling job has, whether they would run or not.
 */
function checkPermissions(root: PlannedWorkflow, ceiling: Permissions, problems: Problem[]): void {
  const visit = (planned: PlannedWorkflow, allowed: Permissions, called: boolean): void => {
    const { workflow } = planned;
    for (const job of workflow.jobs) {
      const requested = job.permissions ?? workflow.permissions;
      if (called && requested) report(job, requested, allowed, planned);
      const child = planned.calls.get(job.id);
      if (child) visit(child, requested ?? allowed, true);
    }
  };
  const report = (job: Job, requested: Permissions, allowed: Permissions, planned: PlannedWorkflow) => {
    const over = excess(requested, allowed);
    if (!over) return;
    const name = `${planned.origin.repository}/${planned.path}@${planned.origin.ref}`;
    problems.push({
      ...job.at,
      message: `Error calling workflow '${name}'. The nested job '${job.id}' is requesting '${over.requested}', but is only allowed '${over.allowed}'.`,
    });
  };
  visit(root, ceiling, false);
}
