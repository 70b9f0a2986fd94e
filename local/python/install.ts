import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { classifyInstallFailure, installFailureMessage, PythonSetupError } from './errors.ts';
import { findInterpreter, type Interpreter } from './interpreter.ts';
import { uvSettingsFromPip } from './pip-settings.ts';
import { pythonEnvironment, runCommand } from './run.ts';

/** The uv that is fetched when none is on PATH: a single static program, published on the Python package index. */
const uvVersion = '0.13.9';

export interface InstallRequest {
  /** The virtual environment to make; must not exist. */
  target: string;
  lock: string;
  /** Where a fetched uv may lie between starts. */
  toolsDirectory: string;
  log: string;
  progress: (line: string) => void;
}

interface Uv {
  command: string;
  env: Record<string, string>;
}

/** uv from PATH, else fetched by pip into a folder of its own (works without ensurepip and under PEP 668). */
async function findUv(request: InstallRequest, python: Interpreter): Promise<Uv | undefined> {
  const env = pythonEnvironment();
  const onPath = await runCommand('uv', ['--version'], { env });
  if (onPath.code === 0) return { command: 'uv', env: await pipSettings(python) };
  if (!python.hasPip) return undefined;

  const folder = path.join(request.toolsDirectory, `uv-${uvVersion}`);
  const command = path.join(folder, 'bin', 'uv');
  if (existsSync(command) && (await runCommand(command, ['--version'], { env })).code === 0)
    return { command, env: await pipSettings(python) };

  request.progress(`Fetching the installer uv ${uvVersion} with pip`);
  rmSync(folder, { recursive: true, force: true });
  const fetched = await runCommand(
    python.path,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', folder, `uv==${uvVersion}`],
    // A user's own PIP_USER or PIP_REQUIRE_VIRTUALENV would make pip refuse --target.
    { env: pythonEnvironment({ PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' }), log: request.log },
  );
  if (fetched.code === 0 && existsSync(command)) return { command, env: await pipSettings(python) };
  const failure = classifyInstallFailure(fetched.output);
  rmSync(folder, { recursive: true, force: true });
  if (failure === 'disk' || failure === 'network')
    throw new PythonSetupError(installFailureMessage(failure, path.dirname(request.target), request.log));
  return undefined;
}

async function pipSettings(python: Interpreter): Promise<Record<string, string>> {
  if (!python.hasPip) return {};
  const listing = await runCommand(python.path, ['-m', 'pip', 'config', 'list'], { env: pythonEnvironment() });
  return listing.code === 0 ? uvSettingsFromPip(listing.output, process.env) : {};
}

async function installWithUv(uv: Uv, python: Interpreter, request: InstallRequest): Promise<string | undefined> {
  const env = pythonEnvironment(uv.env);
  const made = await runCommand(
    uv.command,
    ['venv', '--quiet', '--no-config', '--no-project', '--python', python.path, request.target],
    { env, log: request.log },
  );
  if (made.code !== 0) return made.output;
  const installed = await runCommand(
    uv.command,
    [
      'pip',
      'install',
      '--python',
      path.join(request.target, 'bin', 'python'),
      '--no-deps',
      '--require-hashes',
      '--only-binary',
      ':all:',
      '-r',
      request.lock,
    ],
    {
      env,
      log: request.log,
      onLine: (line) => /^(Resolved|Prepared|Installed|\s*Download)/.test(line) && request.progress(line.trim()),
    },
  );
  return installed.code === 0 ? undefined : installed.output;
}

async function installWithPip(python: Interpreter, request: InstallRequest): Promise<string | undefined> {
  request.progress('Installing with pip, which takes about half a minute (uv would take seconds)');
  const env = pythonEnvironment({ PIP_USER: '0', PIP_DISABLE_PIP_VERSION_CHECK: '1' });
  const made = await runCommand(python.path, ['-m', 'venv', request.target], { env, log: request.log });
  if (made.code !== 0) return made.output;
  const installed = await runCommand(
    path.join(request.target, 'bin', 'python'),
    ['-m', 'pip', 'install', '--no-deps', '--require-hashes', '--only-binary', ':all:', '-r', request.lock],
    {
      env,
      log: request.log,
      onLine: (line) =>
        /^(Collecting|Installing collected|Successfully)/.test(line) && request.progress(line.slice(0, 100)),
    },
  );
  return installed.code === 0 ? undefined : installed.output;
}

/** The wheels for macOS leave the OpenMP library to the system. */
async function requireOpenMp(request: InstallRequest): Promise<void> {
  const interpreter = path.join(request.target, 'bin', 'python');
  const { code, output } = await runCommand(interpreter, ['-c', 'import xgboost'], { env: pythonEnvironment() });
  if (code === 0 || !/libomp/.test(output)) return;
  rmSync(request.target, { recursive: true, force: true });
  throw new PythonSetupError(
    'XGBoost needs the OpenMP library, which macOS does not have: run brew install libomp and start again.',
  );
}

/** Makes the virtual environment by the first way that this machine offers; throws PythonSetupError. */
export async function installEnvironment(request: InstallRequest): Promise<void> {
  await install(request);
  if (process.platform === 'darwin') await requireOpenMp(request);
}

async function install(request: InstallRequest): Promise<void> {
  const python = await findInterpreter();
  request.progress(`Using Python ${python.version} (${python.path})`);
  mkdirSync(path.dirname(request.target), { recursive: true });

  const refuse = (output: string): never => {
    rmSync(request.target, { recursive: true, force: true });
    const failure = classifyInstallFailure(output);
    throw new PythonSetupError(installFailureMessage(failure, path.dirname(request.target), request.log));
  };

  const uv = await findUv(request, python);
  if (uv !== undefined) {
    const output = await installWithUv(uv, python, request);
    if (output === undefined) return;
    if (classifyInstallFailure(output) !== 'other' || !python.hasVenv) refuse(output);
    rmSync(request.target, { recursive: true, force: true });
  }
  if (!python.hasVenv)
    throw new PythonSetupError(
      `Python ${python.version} (${python.path}) comes without pip and venv: install uv, or on Debian and Ubuntu run: apt-get install python3-venv`,
    );
  const output = await installWithPip(python, request);
  if (output !== undefined) refuse(output);
}
