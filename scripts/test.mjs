// `npm test`: every check of the project within ten minutes. `npm run test:full`: the whole of the matrices that
// `npm test` samples (test files read TEST_FULL). Each check leaves its counts in build/test-results for .ci/run.
// Arguments are handed to jest: `npm test -- test/iam` runs one folder without the static checks.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const full = process.argv.includes('--full');
const selected = process.argv.slice(2).filter((argument) => argument !== '--full');
const results = join(root, 'build', 'test-results');
mkdirSync(results, { recursive: true });

const bin = join(root, 'node_modules', '.bin');
const environment = {
  ...process.env,
  // Node 24 first: actions declare `using: node24`, and the tests start them with the `node` they find.
  PATH: `${bin}:${process.env.PATH}`,
  ...(full ? { TEST_FULL: '1' } : {}),
};

/** @returns {boolean} whether the command ended with exit code 0 */
function run(command, args) {
  return spawnSync(join(bin, command), args, { cwd: root, stdio: 'inherit', env: environment }).status === 0;
}

const staticChecks = [
  ['types', () => run('tsc', [])],
  ['format and lint', () => run('biome', ['ci', '--diagnostic-level=error', '.'])],
  [
    'dependency rules',
    () => run('depcruise', ['--config', '.dependency-cruiser.cjs', 'actions', 'src', 'local', 'cli']),
  ],
];

let passed = 0;
let failed = 0;
if (!full && selected.length === 0) {
  for (const [name, check] of staticChecks) {
    console.log(`\n== ${name}`);
    if (check()) passed += 1;
    else failed += 1;
  }
}

console.log(`\n== tests${full ? ' (full)' : ''}`);
const report = join(results, `jest-${full ? 'full' : 'sample'}.json`);
const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
  '--json',
  `--outputFile=${report}`,
  ...selected,
];
const { status } = spawnSync(join(bin, 'node'), jest, {
  cwd: root,
  stdio: ['inherit', 'ignore', 'inherit'],
  env: environment,
});
try {
  const summary = JSON.parse(readFileSync(report, 'utf8'));
  passed += summary.numPassedTests;
  failed += summary.numFailedTests + summary.numRuntimeErrorTestSuites;
} catch (error) {
  console.error(`jest left no result file: ${error.message}`);
  failed += 1;
}
if (status !== 0 && failed === 0) failed += 1;
writeFileSync(join(results, full ? 'full.json' : 'sample.json'), JSON.stringify({ passed, failed }));
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
