import { PythonSetupError } from './errors.ts';
import { pythonEnvironment, runCommand } from './run.ts';

export const oldestPython: readonly [number, number] = [3, 10];
export const newestPython: readonly [number, number] = [3, 14];

export interface Interpreter {
  /** Absolute path of the executable. */
  path: string;
  version: string;
  hasPip: boolean;
  hasVenv: boolean;
}

// One start of the interpreter tells all that the set-up wants to know. libc_ver() is empty on musl.
const probe = `
import json, sys, os, platform, glob
from importlib.util import find_spec
print(json.dumps({
  "path": sys.executable, "version": platform.python_version(), "major": sys.version_info[0], "minor": sys.version_info[1],
  "pip": find_spec("pip") is not None, "venv": find_spec("venv") is not None and find_spec("ensurepip") is not None,
  "musl": sys.platform == "linux" and not platform.libc_ver()[0] and bool(glob.glob("/lib/ld-musl-*")),
}))
`;

interface Probe {
  path: string;
  version: string;
  major: number;
  minor: number;
  pip: boolean;
  venv: boolean;
  musl: boolean;
}

async function ask(command: string, env: NodeJS.ProcessEnv): Promise<Probe | undefined> {
  const result = await runCommand(command, ['-c', probe], { env });
  if (result.code !== 0) return undefined;
  try {
    return JSON.parse(result.output.trim().split('\n').at(-1) ?? '') as Probe;
  } catch {
    return undefined;
  }
}

function fits({ major, minor }: Probe): boolean {
  return major === 3 && minor >= oldestPython[1] && minor <= newestPython[1];
}

/**
 * The first fitting interpreter of `python3`, `python` and the versioned names on PATH (newest common version first).
 * Throws PythonSetupError when there is none, or when this system is musl, for which the packages have no builds.
 */
export async function findInterpreter(base: NodeJS.ProcessEnv = process.env): Promise<Interpreter> {
  const env = pythonEnvironment({}, base);
  const names = ['python3', 'python', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3.14'];
  const unfit: string[] = [];
  for (const name of names) {
    const found = await ask(name, env);
    if (found === undefined) continue;
    if (found.musl)
      throw new PythonSetupError(
        'This system uses musl (Alpine Linux), for which xgboost has no packages: use a system with glibc, e.g. Debian, Ubuntu or Fedora.',
      );
    if (fits(found)) return { path: found.path, version: found.version, hasPip: found.pip, hasVenv: found.venv };
    unfit.push(`${name} is ${found.version}`);
  }
  const range = `${oldestPython.join('.')} to ${newestPython.join('.')}`;
  throw new PythonSetupError(
    unfit.length > 0
      ? `No fitting Python: ${[...new Set(unfit)].join(', ')}, but ${range} is needed; install one of these and put it on PATH.`
      : `Python is missing: install Python ${range} (e.g. apt-get install python3 python3-venv, or brew install python@3.13) and put it on PATH as python3.`,
  );
}
