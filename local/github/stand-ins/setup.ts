import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { JobState } from '../run/state.ts';
import type { StandInInputs, StandInResult } from './catalog.ts';

const run = promisify(execFile);

async function version(
  job: JobState,
  program: string | undefined,
  what: string,
): Promise<{ program: string; version: string }> {
  if (!program) throw new Error(`${what} is not set up on this machine.`);
  const { stdout, stderr } = await run(program, ['--version'], { env: { PATH: job.machine.PATH } });
  return { program, version: `${stdout}${stderr}`.trim().replace(/^(v|Python )/, '') };
}

/** Does an installed version satisfy what the workflow asks for: `3.12`, `24`, `24.x`, `>=3.10`, `3.x`? A missing wish is fulfilled. */
function satisfies(installed: string, wanted: string): boolean {
  const text = wanted.trim();
  if (text === '' || text === '*' || text === 'latest') return true;
  const atLeast = /^>=\s*([\d.]+)$/.exec(text)?.[1];
  const parts = (value: string) => value.split('.').map(Number);
  if (atLeast) {
    const [have, want] = [parts(installed), parts(atLeast)];
    for (let index = 0; index < want.length; index++)
      if (have[index] !== want[index]) return (have[index] ?? 0) > want[index]!;
    return true;
  }
  const pieces = text.replace(/^[v^~]/, '').split('.');
  return pieces.every((piece, index) => /^[xX*]$/.test(piece) || Number(piece) === parts(installed)[index]);
}

export async function setupPython(job: JobState, inputs: StandInInputs): Promise<StandInResult> {
  const found = await version(job, job.tools.python, 'Python');
  const wanted = inputs['python-version']!;
  if (!satisfies(found.version, wanted)) {
    throw new Error(
      `python-version ${wanted} is not on this machine, it has ${found.version}: only that one can be asked for here.`,
    );
  }
  if (inputs['update-environment'] === 'true') job.env.set('pythonLocation', job.folders.programs);
  return {
    outcome: 'success',
    outputs: { 'python-version': found.version, 'python-path': found.program, 'cache-hit': 'false' },
  };
}

export async function setupNode(job: JobState, inputs: StandInInputs): Promise<StandInResult> {
  const found = await version(job, job.tools.node, 'Node');
  const wanted = inputs['node-version']!;
  if (!satisfies(found.version, wanted))
    throw new Error(`node-version ${wanted} is not on this machine, it has ${found.version}.`);
  return { outcome: 'success', outputs: { 'node-version': `v${found.version}`, 'cache-hit': 'false' } };
}
