// Runs every check of the project; `--full` also runs what takes longer than `npm test` may.
import { spawnSync } from 'node:child_process';

const full = process.argv.includes('--full');
const steps = [
  ['types', 'tsc', []],
  ['format and lint', 'biome', ['ci', '.']],
  [
    'tests',
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--passWithNoTests',
      ...process.argv.slice(2).filter((argument) => argument !== '--full'),
    ],
  ],
];
let failed = 0;
for (const [name, command, args] of steps) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, ...(full ? { TEST_FULL: '1' } : {}) },
  });
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
