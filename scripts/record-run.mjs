// Writes a real run of `npm start -- --once --yes` into the README, between its markers. Run it on a quiet machine: `npm run record`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const python = join(root, '.sagemaker-mlops', 'python');
const state = mkdtempSync(join(tmpdir(), 'sagemaker-mlops-record-'));
try {
  mkdirSync(python, { recursive: true });
  symlinkSync(python, join(state, 'python'));
  const { stdout, status } = spawnSync(process.execPath, [join(root, 'cli', 'bin.mjs'), 'start', '--once', '--yes'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, SAGEMAKER_MLOPS_STATE: state, NO_COLOR: '1' },
  });
  if (status !== 0) throw new Error(`The run ended with exit code ${status}:\n${stdout}`);
  const text = stdout.replaceAll(state, '.sagemaker-mlops').trim();
  const file = join(root, 'README.md');
  const readme = readFileSync(file, 'utf8');
  const recorded = readme.replace(
    /(<!-- recorded run: start [^>]*-->\n)[\s\S]*?(<!-- recorded run: end -->)/,
    (_, start, end) => `${start}\`\`\`console\n$ npm start -- --once --yes\n${text}\n\`\`\`\n${end}`,
  );
  if (recorded === readme)
    throw new Error('README.md has no markers for the recorded run, or the run is the recorded one.');
  writeFileSync(file, recorded);
} finally {
  rmSync(state, { recursive: true, force: true });
}
