import type { Template } from '../expressions.ts';
import type { Location } from '../workflow/location.ts';

/** Which of GitHub's own actions have a local replacement, and what of them. Everything else is refused by name. */
interface StandIn {
  /** Inputs that are honoured, with their defaults. */
  inputs: Record<string, string>;
  /** Inputs of the real action that only have these values here, with what is wrong about any other. */
  fixed: Record<string, { values: string[]; why: string }>;
}

/** Every honoured input has a value. */
export type StandInInputs = Record<string, string>;

export interface StandInResult {
  outcome: 'success' | 'failure';
  outputs: Record<string, string>;
}

const catalog: Record<string, StandIn> = {
  'actions/checkout': {
    inputs: {
      repository: '',
      ref: '',
      path: '',
      clean: 'true',
      'fetch-depth': '1',
      'fetch-tags': 'false',
      'persist-credentials': 'true',
      'show-progress': 'true',
    },
    fixed: {
      token: { values: [], why: 'repositories of this machine need none' },
      lfs: { values: ['false'], why: 'there is no large file storage' },
      submodules: { values: ['false'], why: 'submodules are not fetched' },
      'set-safe-directory': { values: ['true', 'false'], why: 'it must be true or false' },
      filter: { values: [], why: 'clones are local and complete' },
      'sparse-checkout': { values: [], why: 'clones are local and complete' },
    },
  },
  'actions/setup-node': {
    inputs: { 'node-version': '' },
    fixed: {
      cache: { values: [], why: 'there is no cache' },
      'package-manager-cache': { values: ['false'], why: 'there is no cache' },
      'check-latest': { values: ['false'], why: 'the Node of this machine is used' },
      token: { values: [], why: 'nothing is downloaded' },
    },
  },
  'actions/setup-python': {
    inputs: { 'python-version': '', 'update-environment': 'true' },
    fixed: {
      cache: { values: [], why: 'there is no cache' },
      architecture: { values: ['x64', 'arm64'], why: 'only this machine’s own architecture' },
      'check-latest': { values: ['false'], why: 'the Python of this machine is used' },
      'allow-prereleases': { values: ['false'], why: 'the Python of this machine is used' },
      token: { values: [], why: 'nothing is downloaded' },
    },
  },
  'actions/upload-artifact': {
    inputs: {
      name: 'artifact',
      path: '',
      'if-no-files-found': 'warn',
      'retention-days': '',
      overwrite: 'false',
      'include-hidden-files': 'false',
      'compression-level': '6',
    },
    fixed: { archive: { values: ['true'], why: 'artifacts are folders here' } },
  },
  'actions/download-artifact': {
    inputs: { name: '', path: '', pattern: '', 'merge-multiple': 'false' },
    fixed: {
      'github-token': { values: [], why: 'only artifacts of the same run can be downloaded' },
      repository: { values: [], why: 'only artifacts of the same run can be downloaded' },
      'run-id': { values: [], why: 'only artifacts of the same run can be downloaded' },
      'artifact-ids': { values: [], why: 'name the artifact' },
      'digest-mismatch': { values: ['error', 'warn', 'ignore', 'info'], why: 'artifacts are folders here' },
      'skip-decompress': { values: ['false'], why: 'artifacts are folders here' },
    },
  },
};

/** Any ref of these actions means the stand-in. */
export function standInName(action: string): string | undefined {
  const name = action.toLowerCase();
  return name in catalog ? name : undefined;
}

/** What a step asks for that its stand-in does not do, as far as it is no expression. */
export function checkStandIn(name: string, given: ReadonlyMap<string, Template>): { at: Location; message: string }[] {
  const problems: { at: Location; message: string }[] = [];
  for (const [input, template] of given) {
    const message = refuse(name, input, template.literal?.coerceString());
    if (message) problems.push({ at: template.at, message });
  }
  return problems;
}

/** All inputs with their values. Throws for what the stand-in does not do. */
export function standInInputs(name: string, given: Readonly<Record<string, string>>): StandInInputs {
  const inputs = { ...catalog[name]!.inputs };
  for (const [input, value] of Object.entries(given)) {
    const message = refuse(name, input, value);
    if (message) throw new Error(message);
    // An empty value means the default, as for an action that reads its inputs with core.getInput.
    if (value !== '' && input.toLowerCase() in inputs) inputs[input.toLowerCase()] = value;
  }
  return inputs;
}

/** `value` is undefined while it is an expression. */
function refuse(name: string, input: string, value: string | undefined): string | undefined {
  const standIn = catalog[name]!;
  const key = input.toLowerCase();
  // `args` and `entrypoint` have been refused for every action.
  if (key in standIn.inputs || key === 'args' || key === 'entrypoint') return undefined;
  const fixed = standIn.fixed[key];
  if (!fixed) return `${name}: the input '${input}' is not supported locally`;
  if (value === undefined || value === '' || fixed.values.includes(value.toLowerCase())) return undefined;
  return `${name}: '${input}: ${value}' is not supported locally: ${fixed.why}`;
}
