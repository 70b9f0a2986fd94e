import type { Template } from '../expressions.ts';
import type { JobState, Outcome } from '../run/state.ts';
import type { Location } from '../workflow/location.ts';
import { downloadArtifact, uploadArtifact } from './artifacts.ts';
import { checkout } from './checkout.ts';
import { setupNode, setupPython } from './setup.ts';

export interface StandInResult {
  outcome: Outcome;
  outputs: Record<string, string>;
}

/** A local replacement of one of GitHub's own actions. It does what these inputs ask for, and refuses all others. */
export interface StandIn {
  /** Input -> default. */
  inputs: Record<string, string>;
  /** Inputs of the real action that only have one value here, with what is wrong about any other. */
  fixed: Record<string, { values: string[]; why: string }>;
  run(job: JobState, inputs: Record<string, string>, signal: AbortSignal): Promise<StandInResult>;
}

const standIns: Record<string, StandIn> = {
  'actions/checkout': checkout,
  'actions/setup-node': setupNode,
  'actions/setup-python': setupPython,
  'actions/upload-artifact': uploadArtifact,
  'actions/download-artifact': downloadArtifact,
};

/** Any ref of these actions means the stand-in. */
export function standInName(action: string): string | undefined {
  const name = action.toLowerCase();
  return name in standIns ? name : undefined;
}

export function checkStandIn(name: string, given: ReadonlyMap<string, Template>): { at?: Location; message: string }[] {
  const problems: { at?: Location; message: string }[] = [];
  for (const [input, template] of given) {
    const value = template.literal ? template.literal.coerceString() : undefined;
    const message = refuse(name, input, value);
    if (message) problems.push({ at: template.at, message });
  }
  return problems;
}

/** `value` is undefined while it is an expression. */
function refuse(name: string, input: string, value: string | undefined): string | undefined {
  const standIn = standIns[name]!;
  const key = input.toLowerCase();
  // `args` and `entrypoint` have been refused for every action.
  if (key in standIn.inputs || key === 'args' || key === 'entrypoint') return undefined;
  const fixed = standIn.fixed[key];
  if (!fixed) return `${name}: the input '${input}' is not supported locally`;
  if (value === undefined || value === '' || fixed.values.includes(value.toLowerCase())) return undefined;
  return `${name}: '${input}: ${value}' is not supported locally: ${fixed.why}`;
}

export async function runStandIn(
  name: string,
  job: JobState,
  given: Record<string, string>,
  signal: AbortSignal,
): Promise<StandInResult> {
  const standIn = standIns[name]!;
  const inputs = { ...standIn.inputs };
  for (const [input, value] of Object.entries(given)) {
    const message = refuse(name, input, value);
    if (message) throw new Error(message);
    if (value !== '' || !(input.toLowerCase() in standIn.inputs)) inputs[input.toLowerCase()] = value;
  }
  job.log.line(`${name} is simulated on this machine.`);
  return standIn.run(job, inputs, signal);
}
