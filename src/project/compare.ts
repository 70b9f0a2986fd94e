import { posix } from 'node:path';
import { parseStage, type Stage } from '../deploy/stage-file.ts';
import { FailureError } from '../failure.ts';
import { readChecked } from '../github/schema.ts';
import { validate as validateBuild } from '../pipelines/build-file.generated.ts';
import type { BuildFile } from '../pipelines/build-file.ts';
import { allSteps, type Definition, parseDefinition } from '../pipelines/definition.ts';
import { compareJson, describeChange } from '../pipelines/diff.ts';
import { validate as validateGate } from '../registry/gate-file.generated.ts';
import type { GateFile, Rule } from '../registry/gate-file.ts';
import type { Checked, ProjectFiles } from './check.ts';
import type { ChangedFile, History } from './git.ts';

/** What one stage becomes. Lists are empty where nothing of the kind changes. */
export interface StageChange {
  file: string;
  stage: string;
  change: 'added' | 'changed' | 'removed';
  accountsAdded: readonly string[];
  accountsRemoved: readonly string[];
  /** Everything else, one line per difference. */
  lines: readonly string[];
}

/** Where the project differs from a commit. Lines begin with "+", "-" or "~". */
export interface Comparison {
  base: string;
  files: readonly ChangedFile[];
  /** Steps that come, go or change. */
  steps: readonly string[];
  pipeline: readonly string[];
  /** build.yml: parameters, images, uploads. */
  build: readonly string[];
  /** Files of each upload that differ: parameter -> paths. */
  uploads: ReadonlyMap<string, readonly string[]>;
  rules: readonly string[];
  stages: readonly StageChange[];
  /** What could not be compared, and why. */
  notes: readonly string[];
}

/** The project as it was at a commit; what cannot be read there is a note and is not compared. */
interface Former {
  build: BuildFile | undefined;
  definition: Definition | undefined;
  gate: GateFile | undefined;
  stages: Map<string, Stage>;
  /** Files that were there and not valid. */
  invalid: Set<string>;
}

async function readFormer(history: History, commit: string, files: ProjectFiles, notes: string[]): Promise<Former> {
  const former: Former = {
    build: undefined,
    definition: undefined,
    gate: undefined,
    stages: new Map(),
    invalid: new Set(),
  };
  const read = async (file: string | undefined, use: (text: string, file: string) => void) => {
    if (file === undefined) return;
    const text = await history.read(commit, file);
    if (text === undefined) return;
    try {
      use(text, file);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      former.invalid.add(file);
      notes.push(`${file} is not valid at the base, so it is not compared: ${error.failures[0]?.cause}`);
    }
  };
  await read(files.configuration, (text, file) => {
    former.build = readChecked<BuildFile>(file, text, validateBuild);
  });
  if (former.build !== undefined && files.configuration !== undefined) {
    const file = posix.join(posix.dirname(files.configuration), former.build.definition);
    await read(file, (text) => {
      former.definition = parseDefinition(file, text);
    });
  }
  await read(files.rules, (text, file) => {
    former.gate = readChecked<GateFile>(file, text, validateGate);
  });
  for (const file of files.stages === undefined ? [] : await history.list(commit, files.stages)) {
    if (/\.ya?ml$/.test(file))
      await read(file, (text) => {
        former.stages.set(file, parseStage(file, text));
      });
  }
  return former;
}

/** A rule as people read it; two files hold the same rule when these are equal. */
export function ruleText(rule: Rule): string {
  if ('operator' in rule) return `${rule.metric} ${rule.operator} ${rule.limit}`;
  const margin = (rule.margin ?? 0) === 0 ? '' : ` by ${rule.margin}`;
  return `${rule.metric} ${rule.direction ?? 'lower'} than the champion${margin} (without champion: ${rule['without-champion'] ?? 'pass'})`;
}

function compareRules(before: GateFile, after: GateFile): string[] {
  const [old, now] = [before.rules.map(ruleText), after.rules.map(ruleText)];
  const lines = [
    ...now.filter((rule) => !old.includes(rule)).map((rule) => `+ ${rule}`),
    ...old.filter((rule) => !now.includes(rule)).map((rule) => `- ${rule}`),
  ];
  const rest = ({ rules: _, ...others }: GateFile) => others;
  return [...lines, ...compareJson(rest(before), rest(after)).map(describeChange)];
}

function compareSteps(before: Definition, after: Definition): string[] {
  const steps = (definition: Definition) => new Map(allSteps(definition).map(({ step }) => [step.Name, step]));
  const [old, now] = [steps(before), steps(after)];
  const lines: string[] = [];
  for (const [name, step] of now) {
    const former = old.get(name);
    if (former === undefined) lines.push(`+ ${name} (${step.Type})`);
    // A condition holds its branches, whose steps are told on their own.
    else if (compareJson(withoutBranches(former), withoutBranches(step)).length > 0)
      lines.push(`~ ${name} (${step.Type})`);
  }
  for (const [name, step] of old) if (!now.has(name)) lines.push(`- ${name} (${step.Type})`);
  return lines;
}

function withoutBranches(step: { Arguments?: Record<string, unknown> }): unknown {
  const { IfSteps: _if, ElseSteps: _else, ...rest } = step.Arguments ?? {};
  return { ...step, Arguments: rest };
}

function compareStages({ stages: before, invalid }: Former, checked: Checked): StageChange[] {
  const changes: StageChange[] = [];
  const settings = ({
    name,
    lifecycleStage,
    region,
    waves,
    instanceType,
    instanceCount,
    preferences,
    parameters,
    tags,
    test,
  }: Stage) => ({
    environment: name,
    'lifecycle-stage': lifecycleStage,
    region,
    endpoint: { 'instance-type': instanceType, 'instance-count': instanceCount },
    waves: waves.length > 1 ? waves : [],
    preferences,
    parameters,
    tags,
    test,
  });
  for (const [file, stage] of checked.stages) {
    // It was there, so nothing of it is new; a note says why it is not compared.
    if (invalid.has(file)) continue;
    const former = before.get(file);
    const accountsAdded = stage.accounts.filter((account) => former?.accounts.includes(account) !== true);
    const accountsRemoved = (former?.accounts ?? []).filter((account) => !stage.accounts.includes(account));
    const lines = former === undefined ? [] : compareJson(settings(former), settings(stage)).map(describeChange);
    if (former === undefined || accountsAdded.length + accountsRemoved.length + lines.length > 0) {
      const change = former === undefined ? 'added' : 'changed';
      changes.push({ file, stage: stage.name, change, accountsAdded, accountsRemoved, lines });
    }
  }
  for (const [file, stage] of before) {
    if (!checked.files.some((one) => one.file === file))
      changes.push({
        file,
        stage: stage.name,
        change: 'removed',
        accountsAdded: [],
        accountsRemoved: stage.accounts,
        lines: [],
      });
  }
  return changes;
}

/** What differs and cannot be told: files that are not valid, and such as have nothing to be compared with. */
function incomparable(changed: readonly ChangedFile[], files: ProjectFiles, checked: Checked): string[] {
  const notes: string[] = [];
  const { configuration, rules } = files;
  const differs = new Map(changed.map(({ path, change }) => [path, change]));
  const read = (file: string) =>
    file === configuration
      ? checked.build !== undefined
      : file === rules
        ? checked.gate !== undefined
        : checked.stages.has(file) || (checked.definition !== undefined && !file.startsWith(`${files.stages}/`));
  const unread = checked.files.filter(({ file, failures }) => failures.length > 0 && !read(file));
  for (const { file } of unread) {
    const change = differs.get(file);
    if (change === 'removed') notes.push(`${file} is removed.`);
    else if (change !== undefined)
      notes.push(`${file} differs, but is not valid: what a merge changes there cannot be told.`);
  }
  const folder = configuration === undefined ? undefined : posix.dirname(configuration);
  if (checked.build === undefined && changed.some(({ path }) => path.startsWith(`${folder}/`)))
    notes.push(`What a merge uploads cannot be told before ${configuration} and what it names are valid.`);
  const definition = checked.build && posix.join(folder ?? '', checked.build.definition);
  for (const file of [configuration, definition, rules])
    if (file !== undefined && differs.get(file) === 'added' && !unread.some((one) => one.file === file))
      notes.push(`${file} is new, so there is nothing to compare it with.`);
  return notes;
}

/** Compares the checked project with a commit of its history. What does not pass the check is not compared. */
export async function compareProject(
  history: History,
  base: string,
  files: ProjectFiles,
  checked: Checked,
): Promise<Comparison> {
  const notes: string[] = [];
  const changed = await history.changed(base, 'HEAD');
  const former = await readFormer(history, base, files, notes);
  notes.push(...incomparable(changed, files, checked));
  const { build, definition, gate } = checked;
  const folder = posix.dirname(files.configuration ?? '');
  const uploads = new Map<string, string[]>();
  for (const [parameter, path] of Object.entries(build?.uploads ?? {})) {
    const own = posix.join(folder, path).replace(/\/$/, '');
    const within = changed
      .filter(({ path: file }) => file === own || file.startsWith(`${own}/`))
      .map((file) => file.path);
    if (within.length > 0) uploads.set(parameter, within);
  }
  const both = <T, R>(before: T | undefined, after: T | undefined, compare: (before: T, after: T) => R[]): R[] =>
    before === undefined || after === undefined ? [] : compare(before, after);
  return {
    base,
    files: changed,
    steps: both(former.definition, definition, compareSteps),
    pipeline: both(former.definition, definition, (before, after) => compareJson(before, after).map(describeChange)),
    build: both(former.build, build, (before, after) => compareJson(before, after).map(describeChange)),
    uploads,
    rules: both(former.gate, gate, compareRules),
    stages: compareStages(former, checked),
    notes,
  };
}

/** Does a change lie in the folder of one of the files? */
export function touches(comparison: Comparison, folder: string): boolean {
  return comparison.files.some(({ path }) => path.startsWith(`${folder}/`));
}
