import { join } from 'node:path';
import { UserError } from './errors.ts';
import { stateDirectory } from './state.ts';
import { seconds, type Terminal } from './terminal.ts';

/** Installs the Python side once; prints how long that took, apart from everything that is ours. */
export async function preparePython(terminal: Terminal): Promise<{ python: string }> {
  const { ensurePythonEnvironment, PythonSetupError } = await import('../local/python/index.ts');
  const started = Date.now();
  let installed = false;
  try {
    const environment = await ensurePythonEnvironment({
      // Kept by a machine that runs jobs: a job's own checkout is gone with it.
      directory: process.env['SAGEMAKER_MLOPS_PYTHON'] ?? join(stateDirectory(), 'python'),
      progress: (line) => {
        installed = true;
        // uv tells the start and the end of each download; the start is enough to see that something goes on.
        if (/^\s*Downloaded /.test(line)) return;
        terminal.line(`  ${terminal.dim(line)}`);
      },
    });
    if (installed) terminal.line(`  Python side installed in ${seconds(Date.now() - started)} (once)`);
    return environment;
  } catch (error) {
    if (error instanceof PythonSetupError) throw new UserError(error.message, 1, { cause: error });
    throw error;
  }
}
