import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunStep, Shell } from '../workflow/model.ts';
import { type InvocationResult, invoke } from './invoke.ts';
import { annotate, evaluation, type Frame, type JobState } from './state.ts';

/** How GitHub starts a shell; `{0}` is the script file. Without `shell:` there is no pipefail. */
const shells: Record<Shell, { command: string; args: string[]; extension: string }> = {
  default: { command: 'bash', args: ['-e', '{0}'], extension: 'sh' },
  bash: { command: 'bash', args: ['--noprofile', '--norc', '-eo', 'pipefail', '{0}'], extension: 'sh' },
  sh: { command: 'sh', args: ['-e', '{0}'], extension: 'sh' },
  python: { command: 'python', args: ['{0}'], extension: 'py' },
};

let scripts = 0;

/** A `run` step. */
export async function runScript(
  job: JobState,
  frame: Frame,
  step: RunStep,
  env: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<InvocationResult> {
  const values = evaluation(job, frame, env);
  const shell = shells[step.shell];
  const file = join(job.folders.temp, `${process.pid}-${scripts++}.${shell.extension}`);
  const text = step.run.evaluateString(values);
  writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o755 });
  job.log.line(text.trimEnd());
  const { workspace } = job.folders;
  const result = await invoke(job, {
    command: shell.command,
    args: shell.args.map((argument) => argument.replace('{0}', file)),
    cwd: step.workingDirectory ? resolve(workspace, step.workingDirectory.evaluateString(values)) : workspace,
    env: new Map([...frame.env, ...env]),
    extra: {},
    github: { ...job.github, ...frame.action, action: step.id ?? '__run' },
    signal,
  });
  if (result.outcome === 'failure' && result.exitCode > 0) {
    annotate(job, { level: 'error', message: `Process completed with exit code ${result.exitCode}.` });
  }
  return result;
}
