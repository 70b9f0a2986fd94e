/** Setting the Python side up: by whichever installer there is, once, and with one sentence when it cannot be done. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { classifyInstallFailure, installFailureMessage } from '../../local/python/errors.ts';
import { findInterpreter } from '../../local/python/interpreter.ts';
import { withLock } from '../../local/python/lock.ts';
import { uvSettingsFromPip } from '../../local/python/pip-settings.ts';
import { pythonEnvironment } from '../../local/python/run.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'python-setup-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program on a PATH of its own. */
async function program(name: string, shell: string): Promise<string> {
  const bin = path.join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(path.join(bin, name), `#!/bin/sh\n${shell}\n`);
  await chmod(path.join(bin, name), 0o755);
  return bin;
}
const python = (fields: Record<string, unknown>): Promise<string> =>
  program(
    'python3',
    `echo '${JSON.stringify({ path: '/x/python3', version: '3.11.2', major: 3, minor: 11, pip: true, venv: true, musl: false, ...fields })}'`,
  );

describe('the interpreter', () => {
  test('is the first that fits', async () => {
    expect(await findInterpreter({ PATH: await python({}) })).toMatchObject({ path: '/x/python3', version: '3.11.2' });
  });

  test.each([
    [{ minor: 8, version: '3.8.18' }, /^No fitting Python: python3 is 3\.8\.18, but 3\.10 to 3\.14 is needed/],
    [{ minor: 15, version: '3.15.0' }, /^No fitting Python: python3 is 3\.15\.0/],
    [{ musl: true }, /^This system uses musl \(Alpine Linux\)/],
  ])('%j is refused', async (fields, message) => {
    await expect(findInterpreter({ PATH: await python(fields) })).rejects.toThrow(message);
  });

  test('none at all: what to install', async () => {
    await expect(findInterpreter({ PATH: folder })).rejects.toThrow(
      /^Python is missing: install Python 3\.10 to 3\.14 .*python3-venv/,
    );
  });

  test('a later name on PATH when python3 is too old', async () => {
    const bin = await python({ minor: 9, version: '3.9.18' });
    await program(
      'python3.12',
      `echo '{"path": "/y", "version": "3.12.1", "major": 3, "minor": 12, "pip": true, "venv": true, "musl": false}'`,
    );
    expect((await findInterpreter({ PATH: bin })).path).toBe('/y');
  });
});

describe('settings of pip for uv', () => {
  const listing = [
    "global.index-url='https://mirror.example/simple'",
    "global.extra-index-url='\\nhttps://a.example\\nhttps://b.example'",
    "global.cert='/etc/ssl/ca.pem'",
    "install.find-links='/no/such/folder'",
    "global.proxy='http://proxy.example:3128'",
    "global.trusted-host='mirror.example'",
    "install.user='true'",
    ":env:.index-url='https://other.example/simple'",
  ].join('\n');

  test('are passed on, later ones win, a folder that is not there is left out', () => {
    expect(uvSettingsFromPip(listing, {})).toEqual({
      UV_DEFAULT_INDEX: 'https://other.example/simple',
      UV_INDEX: 'https://a.example https://b.example',
      UV_INSECURE_HOST: 'mirror.example',
      SSL_CERT_FILE: '/etc/ssl/ca.pem',
      HTTPS_PROXY: 'http://proxy.example:3128',
      HTTP_PROXY: 'http://proxy.example:3128',
    });
  });

  test("a user's own settings of uv stay", () => {
    const settings = uvSettingsFromPip(listing, { UV_INDEX_URL: 'x', https_proxy: 'y', SSL_CERT_FILE: 'z' });
    expect(settings).not.toHaveProperty('UV_DEFAULT_INDEX');
    expect(settings).not.toHaveProperty('HTTPS_PROXY');
    expect(settings).not.toHaveProperty('SSL_CERT_FILE');
  });
});

describe('failures', () => {
  test.each([
    ['ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device', 'disk'],
    ['error: failed to write: No space left on device (os error 28)', 'disk'],
    ['error: Request failed after 3 retries\n  Caused by: error sending request for url', 'network'],
    [
      'WARNING: Retrying ... NewConnectionError: Failed to establish a new connection: [Errno -2] Name or service not known',
      'network',
    ],
    ['ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE', 'hash'],
    ['error: Hash mismatch for `numpy==2.1.3`', 'hash'],
    [
      "error: Distribution `xgboost-cpu` can't be installed because it doesn't have a source distribution or wheel for the current platform",
      'platform',
    ],
    ['ERROR: No matching distribution found for xgboost-cpu==3.2.0', 'platform'],
    ['Segmentation fault', 'other'],
  ] as const)('%s: %s', (output, kind) => {
    expect(classifyInstallFailure(output)).toBe(kind);
    const message = installFailureMessage(kind, '/place', '/place/runtime.log');
    expect(message).not.toContain('\n');
    expect(message).toContain('/place');
  });
});

test('children of ours import what their own environment holds', () => {
  const environment = pythonEnvironment(
    { EXTRA: '1' },
    { PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: '/x', VIRTUAL_ENV: '/y', HOME: '/h' },
  );
  expect(environment).toEqual({ EXTRA: '1', HOME: '/h' });
});

test('a lock: one at a time; that of a dead process is taken over', async () => {
  const file = path.join(folder, 'lock');
  const order: string[] = [];
  await Promise.all(
    ['a', 'b'].map((name) =>
      withLock(file, async (waited) => {
        order.push(`${name} ${waited}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
        order.push(name);
      }),
    ),
  );
  expect(order.map((entry) => entry[0])).toEqual([order[0]![0], order[0]![0], order[2]![0], order[2]![0]]);
  expect(order.filter((entry) => entry.endsWith('true'))).toHaveLength(1);
  await writeFile(file, '999999999');
  expect(await withLock(file, async (waited) => waited)).toBe(true);
  expect(existsSync(file)).toBe(false);
});

describe('a start', () => {
  /** Runs ensurePythonEnvironment in a process with an environment of its own. */
  async function ensure(
    directory: string,
    environment: NodeJS.ProcessEnv,
  ): Promise<{ result: any; lines: string[]; milliseconds: number }> {
    const code = `
      import { ensurePythonEnvironment } from ${JSON.stringify(path.resolve('local/python/index.ts'))};
      const lines = []; const started = performance.now();
      const result = await ensurePythonEnvironment({ directory: ${JSON.stringify(directory)}, progress: (line) => lines.push(line) })
        .catch((error) => ({ error: error.name + ': ' + error.message }));
      console.log(JSON.stringify({ result, lines, milliseconds: performance.now() - started }));`;
    await writeFile(path.join(folder, 'start.ts'), code);
    const child = spawn(process.execPath, [path.join(folder, 'start.ts')], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await new Promise((resolve) => child.on('close', resolve));
    return JSON.parse(output);
  }
  const ready = path.resolve('.sagemaker-mlops/python');

  test('the second needs neither network nor Python on PATH, and no time', async () => {
    const { ensurePythonEnvironment } = await import('../../local/python/index.ts');
    await ensurePythonEnvironment({ directory: ready, progress: () => {} });
    const { result, lines, milliseconds } = await ensure(ready, { PATH: folder, HTTPS_PROXY: 'http://127.0.0.1:9' });
    expect(result.python).toMatch(/runtime-[0-9a-f]{12}\/bin\/python$/);
    expect(lines).toEqual([]);
    expect(milliseconds).toBeLessThan(500);
  });

  test('without Python: one sentence, nothing left behind', async () => {
    const directory = path.join(folder, 'none');
    const { result } = await ensure(directory, { PATH: path.join(folder, 'empty') });
    expect(result.error).toMatch(/^PythonSetupError: Python is missing: /);
    expect((await readdir(directory)).filter((name) => !name.endsWith('.log'))).toEqual([]);
  });

  test('a Python with neither pip nor venv: what to install', async () => {
    const { result } = await ensure(path.join(folder, 'bare'), { PATH: await python({ pip: false, venv: false }) });
    expect(result.error).toContain(
      'comes without pip and venv: install uv, or on Debian and Ubuntu run: apt-get install python3-venv',
    );
  });

  test('uv from PATH gets the lock with its hashes; its failure is told and the half-made environment removed', async () => {
    const directory = path.join(folder, 'uv');
    const bin = await python({});
    const calls = path.join(folder, 'calls');
    await program(
      'uv',
      `echo "$@" >> ${calls}; case "$1" in venv) mkdir -p "$7" ;; pip) echo 'No space left on device' >&2; exit 2 ;; esac`,
    );
    const { result } = await ensure(directory, { PATH: `${bin}:/usr/bin:/bin` });
    expect(result.error).toContain('The disk is full');
    expect(await readFile(calls, 'utf8')).toMatch(
      /pip install --python \S+ --no-deps --require-hashes --only-binary :all: -r \S+runtime\.txt/,
    );
    expect((await readdir(directory)).filter((name) => name.startsWith('runtime-'))).toEqual([]);
  });

  test('a folder that is no folder: one sentence', async () => {
    await writeFile(path.join(folder, 'file'), '');
    const { result } = await ensure(path.join(folder, 'file', 'below'), process.env);
    expect(result.error).toMatch(/^PythonSetupError: The folder .* cannot be made/);
  });

  test('a full disk: one sentence', async () => {
    // /dev/full is a file that can be opened and never written: the log lies there.
    const directory = path.join(folder, 'full');
    await mkdir(directory);
    if (process.platform !== 'linux') return;
    await symlink('/dev/full', path.join(directory, 'runtime.log'));
    const { result } = await ensure(directory, { PATH: await python({}) });
    expect(result.error).toMatch(/^PythonSetupError: The disk is full: the Python packages need about 600 MB below/);
  });

  const full = process.env['TEST_FULL'] ? test : test.skip;

  full(
    'by uv fetched with pip, from nothing',
    async () => {
      const { result, lines } = await ensure(path.join(folder, 'fetched'), withoutUv());
      expect(result.error).toBeUndefined();
      expect(lines.join('\n')).toContain('Fetching the installer uv');
    },
    300_000,
  );

  full(
    'by venv and pip where uv does not work',
    async () => {
      const bin = await program('uv', '[ "$1" = --version ]');
      const { result, lines } = await ensure(path.join(folder, 'pip'), {
        ...withoutUv(),
        PATH: `${bin}:${process.env['PATH']}`,
      });
      expect(result.error).toBeUndefined();
      expect(lines.join('\n')).toContain('Installing with pip');
    },
    600_000,
  );

  full(
    'without a network: one sentence',
    async () => {
      const { result } = await ensure(path.join(folder, 'offline'), {
        ...withoutUv(),
        HTTPS_PROXY: 'http://127.0.0.1:9',
        PIP_PROXY: 'http://127.0.0.1:9',
        PIP_NO_CACHE_DIR: '1',
        UV_CACHE_DIR: path.join(folder, 'cache'),
      });
      expect(result.error).toContain('cannot be downloaded: no connection to the package index');
    },
    120_000,
  );

  function withoutUv(): NodeJS.ProcessEnv {
    const directories = process.env['PATH']!.split(':').filter((one) => !existsSync(path.join(one, 'uv')));
    return { ...process.env, PATH: directories.join(':') };
  }
});

describe('the locks', () => {
  test.each(['runtime', 'tools'])('%s: every package has a version and hashes, and no address', async (name) => {
    const text = await readFile(`local/python/locks/${name}.txt`, 'utf8');
    expect(text).not.toMatch(/https?:\/\/|--index|--find-links/);
    const entries = text.split(/^(?=[a-z0-9])/im).filter((entry) => !entry.startsWith('#') && entry.trim() !== '');
    expect(entries.length).toBeGreaterThan(20);
    for (const entry of entries) expect(entry).toMatch(/^[a-z0-9._-]+==[^\s;]+.*\\\n\s+--hash=sha256:[0-9a-f]{64}/i);
  });

  test('the runtime is what the seed asks for, and more', async () => {
    const versions = async (file: string) => (await readFile(file, 'utf8')).match(/^[a-z0-9._-]+==\S+( ; [^\\]+)?/gim)!;
    const runtime = new Set((await versions('local/python/locks/runtime.txt')).map((entry) => entry.trim()));
    const seed = (await versions('seed-code/model-build/requirements.txt')).map((entry) => entry.trim());
    // A marker may be narrower where fewer packages ask for it.
    const names = new Set([...runtime].map((entry) => entry.split(' ')[0]));
    expect(seed.filter((entry) => !names.has(entry.split(' ')[0]!))).toEqual([]);
    expect([...runtime].some((entry) => entry.startsWith('moto=='))).toBe(true);
    expect(seed.some((entry) => entry.startsWith('moto=='))).toBe(false);
  });
});
