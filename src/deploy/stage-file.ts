import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { FailureError } from '../failure.ts';
import { readChecked } from '../github/schema.ts';
import type { Preferences } from '../stacksets/model.ts';
import { groupName, type Project } from './names.ts';
import { validate } from './stage-file.generated.ts';

interface Written {
  environment: string;
  'lifecycle-stage'?: string;
  region: string;
  accounts: string[];
  endpoint: { 'instance-type': string; 'instance-count': number };
  waves?: ({ accounts: string[] } | { rest: true })[];
  preferences?: {
    'max-concurrent-count'?: number;
    'failure-tolerance-count'?: number;
    'concurrency-mode'?: 'strict' | 'soft';
  };
  parameters?: Record<string, string>;
  tags?: Record<string, string>;
  test?: { rows?: number; tolerance?: number; 'max-latency-ms'?: number };
}

/** One stage of a project, as its file says it. */
export interface Stage {
  /** GitHub environment and the stage's name. */
  name: string;
  /** As the model registry spells it: Staging, Production. */
  lifecycleStage: string;
  region: string;
  accounts: readonly string[];
  waves: readonly (readonly string[])[];
  instanceType: string;
  instanceCount: number;
  preferences: Preferences;
  parameters: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
  test: { rows: number; tolerance: number; maxLatencyMs: number | undefined };
}

function invalid(file: string, cause: string, hint: string): FailureError {
  return new FailureError({ code: 'InvalidConfiguration', resource: file, cause: `${file}: ${cause}`, hint });
}

/** Every account in exactly one wave, in the order of the file. */
function wavesOf(file: string, { accounts, waves }: Written): string[][] {
  if (waves === undefined) return [accounts];
  const named = waves.flatMap((wave) => ('accounts' in wave ? wave.accounts : []));
  const unknown = named.filter((account) => !accounts.includes(account));
  if (unknown.length > 0)
    throw invalid(
      file,
      `waves names ${unknown.join(', ')}, which accounts does not list`,
      'Add it to accounts, or remove it from waves',
    );
  const twice = named.filter((account, index) => named.indexOf(account) !== index);
  if (twice.length > 0) throw invalid(file, `waves names ${twice.join(', ')} twice`, 'An account is in one wave');
  if (waves.filter((wave) => 'rest' in wave).length > 1)
    throw invalid(file, 'waves has {rest: true} twice', 'One wave takes all accounts that no other names');
  const rest = accounts.filter((account) => !named.includes(account));
  if (rest.length > 0 && !waves.some((wave) => 'rest' in wave))
    throw invalid(file, `no wave takes ${rest.join(', ')}`, 'End waves with {rest: true}, or name the accounts');
  return waves.map((wave) => ('accounts' in wave ? wave.accounts : rest)).filter((wave) => wave.length > 0);
}

export function parseStage(file: string, text: string): Stage {
  const written = readChecked<Written>(file, text, validate);
  if (written.accounts.length === 0) {
    throw new FailureError({
      code: 'NoTargets',
      resource: file,
      cause: `${file} lists no accounts; an empty list never removes what is deployed`,
      hint: 'List the accounts of this stage; removing everything is what the cleanup action is for',
    });
  }
  const { environment, endpoint, preferences = {}, test = {} } = written;
  return {
    name: environment,
    lifecycleStage: written['lifecycle-stage'] ?? environment.charAt(0).toUpperCase() + environment.slice(1),
    region: written.region,
    accounts: written.accounts,
    waves: wavesOf(file, written),
    instanceType: endpoint['instance-type'],
    instanceCount: endpoint['instance-count'],
    preferences: {
      maxConcurrentCount: preferences['max-concurrent-count'] ?? 10,
      failureToleranceCount: preferences['failure-tolerance-count'] ?? 0,
      concurrencyMode: preferences['concurrency-mode'] ?? 'soft',
    },
    parameters: written.parameters ?? {},
    tags: written.tags ?? {},
    test: { rows: test.rows ?? 25, tolerance: test.tolerance ?? 1e-6, maxLatencyMs: test['max-latency-ms'] },
  };
}

/** Reads and checks a stage file below the workspace. Throws InvalidConfiguration or NoTargets. */
export async function readStage(workspace: string, file: string): Promise<Stage> {
  let text: string;
  try {
    text = await readFile(path.resolve(workspace, file), 'utf8');
  } catch (error) {
    throw new FailureError({
      code: 'InvalidConfiguration',
      resource: file,
      cause: `The stage file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
      hint: 'Check the input stage-file, and that the job checks the repository out',
    });
  }
  return parseStage(file, text);
}

/** Packages, artefacts and images are regional, and a package belongs to one project. */
export function checkPlace(
  stage: Stage,
  stageFile: string,
  awsRegion: string,
  project: Project,
  modelPackage: { arn: string; region: string; group: string },
): void {
  if (stage.region !== awsRegion)
    throw invalid(
      stageFile,
      `region is ${stage.region}, but aws-region is ${awsRegion}`,
      'One region per registry: give both the same',
    );
  if (modelPackage.region !== awsRegion)
    throw new FailureError({
      code: 'InvalidInput',
      resource: 'model-package-arn',
      cause: `Input \`model-package-arn\` names a package in ${modelPackage.region}, but aws-region is ${awsRegion}`,
    });
  if (modelPackage.group !== groupName(project).toLowerCase())
    throw new FailureError({
      code: 'InvalidInput',
      resource: 'model-package-arn',
      cause: `Input \`model-package-arn\` names a package of ${modelPackage.group}, but the project's group is ${groupName(project)}`,
    });
}
