import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { parseStage, type Stage } from '../deploy/stage-file.ts';
import { type Failure, FailureError } from '../failure.ts';
import { lineFinder, pathParts } from '../github/lines.ts';
import { readChecked } from '../github/schema.ts';
import type { BuildFile } from '../pipelines/build-file.ts';
import type { Definition } from '../pipelines/definition.ts';
import { portabilityAdvice } from '../pipelines/portable.ts';
import { prepare } from '../pipelines/prepare.ts';
import { validate as validateGate } from '../registry/gate-file.generated.ts';
import type { GateFile } from '../registry/gate-file.ts';

/** Where a project keeps what it writes, relative to the checkout; undefined where it has no such file. */
export interface ProjectFiles {
  configuration: string | undefined;
  rules: string | undefined;
  /** Folder of the stage files. */
  stages: string | undefined;
}

export interface CheckRequest extends ProjectFiles {
  workspace: string;
  region: string;
  commit: string;
  runUrl: string;
}

/** What works and could hurt later, at its place. */
export interface Advice {
  file: string;
  line: number | undefined;
  text: string;
}

/** A file that was read, and what was wrong with it. */
export interface CheckedFile {
  file: string;
  what: string;
  failures: readonly Failure[];
}

export interface Checked {
  files: CheckedFile[];
  advice: Advice[];
  build: BuildFile | undefined;
  definition: Definition | undefined;
  gate: GateFile | undefined;
  /** By file. */
  stages: Map<string, Stage>;
}

const isStageFile = (name: string) => /\.ya?ml$/.test(name);

function missing(file: string, what: string, hint: string): FailureError {
  return new FailureError({
    code: 'InvalidConfiguration',
    resource: file,
    cause: `${what} ${file} does not exist`,
    hint,
  });
}

async function text(workspace: string, file: string, what: string, hint: string): Promise<string> {
  try {
    return await readFile(join(workspace, file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missing(file, what, hint);
    throw error;
  }
}

/** Judges every file that a project writes, as far as that needs no AWS account. Collects all problems; throws only for defects. */
export async function checkProject(request: CheckRequest): Promise<Checked> {
  const { workspace, configuration, rules } = request;
  const checked: Checked = {
    files: [],
    advice: [],
    build: undefined,
    definition: undefined,
    gate: undefined,
    stages: new Map(),
  };
  /** Runs one check; what it throws as failures belongs to its file. */
  const judge = async (file: string, what: string, work: () => Promise<void>) => {
    try {
      await work();
      checked.files.push({ file, what, failures: [] });
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      checked.files.push({ file, what, failures: error.failures });
    }
  };

  if (configuration !== undefined) {
    await judge(configuration, 'what is built', () => checkBuild(request, configuration, checked));
    checked.files.push(...separateDefinition(checked, configuration));
  }
  if (rules !== undefined) {
    await judge(rules, 'when a model is good enough', async () => {
      const written = await text(workspace, rules, 'The rules file', 'Write it, or name another with the input rules');
      checked.gate = readChecked<GateFile>(rules, written, validateGate);
    });
  }
  if (request.stages !== undefined) await checkStages(request, request.stages, checked, judge);
  return checked;
}

async function checkStages(
  request: CheckRequest,
  folder: string,
  checked: Checked,
  judge: (file: string, what: string, work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const names = (await readdir(join(request.workspace, folder)).catch(() => [])).filter(isStageFile).sort();
  if (names.length === 0) {
    await judge(folder, 'stages', async () => {
      throw missing(folder, 'A stage file below', 'Write one, or name another folder with the input stages');
    });
  }
  for (const name of names) {
    const file = posix.join(folder, name);
    await judge(file, 'a stage', () => checkStage(request, file, checked.stages));
  }
}

/** The build file names the definition, so both are read at once; each gets a line of its own, with its own problems. */
function separateDefinition({ files, build }: Checked, configuration: string): CheckedFile[] {
  const { failures } = files.pop()!;
  const own = failures.filter(({ resource }) => resource === configuration || resource === undefined);
  const others = failures.filter((failure) => !own.includes(failure));
  const definition = others[0]?.resource ?? (build && posix.join(posix.dirname(configuration), build.definition));
  return [
    { file: configuration, what: 'what is built', failures: own },
    ...(definition === undefined ? [] : [{ file: definition, what: 'the pipeline, compiled', failures: others }]),
  ];
}

async function checkBuild(request: CheckRequest, configuration: string, checked: Checked): Promise<void> {
  const { workspace, region, commit, runUrl } = request;
  // Names that only exist in an account: any valid ones let the parameters be judged.
  const prepared = await prepare({
    workspace,
    configuration,
    parameters: {},
    region,
    bucket: 'bucket',
    names: { base: 'project', bucket: 'bucket', keyAlias: 'alias/project', role: () => '' },
    commit: commit || 'unknown',
    runUrl: runUrl || 'unknown',
    selectedSteps: undefined,
  });
  checked.build = prepared.build;
  checked.definition = prepared.definition;
  const file = posix.join(posix.dirname(configuration), prepared.build.definition);
  const find = lineFinder(await readFile(join(workspace, file), 'utf8'));
  for (const advice of [...prepared.advice, ...portabilityAdvice(prepared.definition)]) {
    checked.advice.push({ file, line: find(pathParts(advice.split(': ')[0] ?? '')), text: advice });
  }
}

async function checkStage(request: CheckRequest, file: string, stages: Map<string, Stage>): Promise<void> {
  const written = await text(request.workspace, file, 'The stage file', 'Write it');
  const stage = parseStage(file, written);
  const find = lineFinder(written);
  const problem = (key: string, cause: string, hint: string): FailureError => {
    const line = find([key]);
    return new FailureError({
      code: 'InvalidConfiguration',
      resource: file,
      cause: `${file}: ${cause}`,
      hint,
      ...(line === undefined ? {} : { line }),
    });
  };
  const same = [...stages].find(([, { name }]) => name === stage.name);
  stages.set(file, stage);
  if (stage.region !== request.region) {
    throw problem(
      'region',
      `region is ${stage.region}, but the registry's is ${request.region}`,
      'A model is deployed in the region of its registry: give both the same',
    );
  }
  if (same !== undefined)
    throw problem('environment', `the stage ${stage.name} has ${same[0]} already`, 'One file says how a stage runs');
}
