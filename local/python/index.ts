/**
 * The Python side of the local platform, installed once below a folder of the project from locks with hashes.
 *
 * An environment lies in `<directory>/<name>-<start of its lock's hash>` and counts only when its stamp file is there,
 * which is written last: an interrupted set-up is removed and made again, a changed lock makes a new environment, and a
 * second start reads one small file.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installFailureMessage, PythonSetupError } from './errors.ts';
import { installEnvironment } from './install.ts';
import { withLock } from './lock.ts';

export { PythonSetupError } from './errors.ts';
export { pythonEnvironment } from './run.ts';

export interface SetupOptions {
  /** Folder for all environments, e.g. `.sagemaker-mlops/python`. */
  directory: string;
  /** Called with one line of text for the person who waits. */
  progress: (line: string) => void;
}

export interface PythonEnvironment {
  /** The interpreter of the environment. */
  python: string;
  /** The environment itself; its programs are in `bin`. */
  directory: string;
}

const locks = fileURLToPath(new URL('./locks/', import.meta.url));
const bytesNeeded = 600 * 1024 * 1024;
const unusedForMilliseconds = 7 * 24 * 3600 * 1000;

/** Runtime of steps and model servers, moto, boto3 and the SageMaker SDK. Throws PythonSetupError. */
export function ensurePythonEnvironment(options: SetupOptions): Promise<PythonEnvironment> {
  return ensure('runtime', options);
}

/** boto3, AWS CLI, cfn-lint, zizmor, actionlint, act and shellcheck: foreign judges for the tests. Throws PythonSetupError. */
export function ensureTools(options: SetupOptions): Promise<PythonEnvironment> {
  return ensure('tools', options);
}

async function ensure(name: 'runtime' | 'tools', { directory, progress }: SetupOptions): Promise<PythonEnvironment> {
  const lock = path.join(locks, `${name}.txt`);
  const hash = createHash('sha256').update(readFileSync(lock)).digest('hex');
  const root = path.resolve(directory);
  const target = path.join(root, `${name}-${hash.slice(0, 12)}`);
  const environment = { python: path.join(target, 'bin', 'python'), directory: target };
  if (isComplete(environment, hash)) return environment;

  makeDirectory(root);
  const build = async (waited: boolean): Promise<PythonEnvironment> => {
    if (waited && isComplete(environment, hash)) return environment;
    checkSpace(root);
    rmSync(target, { recursive: true, force: true });
    const started = Date.now();
    progress(
      name === 'runtime'
        ? 'Setting up the Python side (once; about 150 MB to download)'
        : 'Setting up the tools of the tests (once; about 90 MB to download)',
    );
    const log = path.join(root, `${name}.log`);
    writeFileSync(log, '');
    await installEnvironment({ target, lock, toolsDirectory: root, log, progress });
    writeFileSync(stampOf(environment), `${hash}\n`);
    progress(`Python side ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
    removeUnused(root, name, target);
    return environment;
  };
  try {
    return await withLock(path.join(root, `${name}.lock`), build);
  } catch (error) {
    throw asSetupError(error, root);
  }
}

/** What the file system itself refuses, as a sentence for the person at the terminal. */
function asSetupError(error: unknown, root: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new PythonSetupError(installFailureMessage('disk', root, ''), { cause: error });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new PythonSetupError(
      `The Python packages cannot be installed below ${root} (${message}); check its permissions.`,
      { cause: error },
    );
  return error;
}

function stampOf(environment: PythonEnvironment): string {
  return path.join(environment.directory, 'complete');
}

/** Also false when the interpreter that the environment was made from has been removed since (a dangling link). */
function isComplete(environment: PythonEnvironment, hash: string): boolean {
  const stamp = stampOf(environment);
  if (!existsSync(stamp) || !existsSync(environment.python)) return false;
  if (readFileSync(stamp, 'utf8').trim() !== hash) return false;
  const now = new Date();
  try {
    utimesSync(stamp, now, now);
  } catch {
    // A read-only checkout: the time of use is only for removeUnused.
  }
  return true;
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new PythonSetupError(
      `The folder ${directory} for the Python packages cannot be made (${(error as Error).message}); check its permissions and the free disk space.`,
      { cause: error },
    );
  }
}

function checkSpace(directory: string): void {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  if (free < bytesNeeded)
    throw new PythonSetupError(
      `The disk is full: the Python packages need about 600 MB below ${directory}, but only ${Math.floor(free / 1048576)} MB are free; free some space and start again.`,
    );
}

/** Environments of former locks go when nobody has used them for a week: a running platform may still need its own. */
function removeUnused(root: string, name: string, current: string): void {
  for (const entry of readdirSync(root)) {
    const other = path.join(root, entry);
    if (!entry.startsWith(`${name}-`) || other === current) continue;
    const stamp = path.join(other, 'complete');
    if (!existsSync(stamp) || Date.now() - statSync(stamp).mtimeMs > unusedForMilliseconds)
      rmSync(other, { recursive: true, force: true });
  }
}
