import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { JobState } from '../run/state.ts';
import type { StandIn } from './index.ts';

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

export const setupPython: StandIn = {
  inputs: { 'python-version': '', 'update-environment': 'true' },
  fixed: {
    cache: { values: [], why: 'there is no cache' },
    architecture: { values: ['x64', 'arm64'], why: 'only this machine’s own architecture' },
    'check-latest': { values: ['false'], why: 'the Python of this machine is used' },
    'allow-prereleases': { values: ['false'], why: 'the Python of this machine is used' },
    token: { values: [], why: 'nothing is downloaded' },
  },
  async run(job, inputs) {
    const found = await version(job, job.tools.python, 'Python');
    const wanted = inputs['python-version']!;
    if (!satisfies(found.version, wanted)) {
      // The local environment has one Python, whatever a workflow pins: results depend on its packages, which are locked.
      job.log.line(
        `##[warning]python-version ${wanted} is asked for; this machine has ${found.version}, which is used.`,
      );
    }
    if (inputs['update-environment'] === 'true') job.env.set('pythonLocation', job.folders.programs);
    return {
      outcome: 'success',
      outputs: { 'python-version': found.version, 'python-path': found.program, 'cache-hit': 'false' },
    };
  },
};

export const setupNode: StandIn = {
  inputs: { 'node-version': '' },
  fixed: {
    cache: { values: [], why: 'there is no cache' },
    'package-manager-cache': { values: ['false'], why: 'there is no cache' },
    'check-latest': { values: ['false'], why: 'the Node of this machine is used' },
    token: { values: [], why: 'nothing is downloaded' },
  },
  async run(job, inputs) {
    const found = await version(job, job.tools.node, 'Node');
    const wanted = inputs['node-version']!;
    if (!satisfies(found.version, wanted))
      throw new Error(`node-version ${wanted} is not on this machine, it has ${found.version}.`);
    return { outcome: 'success', outputs: { 'node-version': `v${found.version}`, 'cache-hit': 'false' } };
  },
};
