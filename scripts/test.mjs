// `npm test`: every check of the project within ten minutes. `npm run test:full`: the whole of the matrices that
// `npm test` samples (test files read TEST_FULL). Each check leaves its counts in build/test-results for .ci/run.
// Arguments are handed to jest: `npm test -- test/iam` runs one folder without the static checks.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
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
  ['format and lint', () => run('biome', ['ci', '--colors=off', '--diagnostic-level=error', '.'])],
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

/** Jest leaves its result file when all is done; a minute later it is waiting for what a test left open, which is told. */
const patience = 60_000;

/** Exit code of jest; null when it had to be ended although its results were there. */
function untilEnded(child, report) {
  return new Promise((resolve) => {
    let since;
    const watch = setInterval(() => {
      if (!existsSync(report)) return;
      since ??= Date.now();
      if (Date.now() - since < patience) return;
      console.log(
        '\nAll tests are done, but one of them left something open that keeps jest from ending: look into it.',
      );
      child.kill('SIGKILL');
    }, 1_000);
    child.on('exit', (status) => {
      clearInterval(watch);
      resolve(status);
    });
  });
}

/** Runs jest over all files, the given ones or the patterns of the command line; its own result file, undefined when it left none. */
async function runJest(name, args) {
  const report = join(results, `${name}.json`);
  rmSync(report, { force: true });
  const jest = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    '--json',
    `--outputFile=${report}`,
    ...args,
  ];
  const child = spawn(join(bin, 'node'), jest, {
    cwd: root,
    stdio: ['inherit', 'ignore', 'inherit'],
    env: environment,
  });
  const status = await untilEnded(child, report);
  try {
    const summary = JSON.parse(readFileSync(report, 'utf8'));
    const files = summary.testResults.filter((file) => file.status === 'failed').map((file) => file.name);
    return {
      status,
      passed: summary.numPassedTests,
      failed: summary.numFailedTests + summary.numRuntimeErrorTestSuites,
      files,
    };
  } catch (error) {
    console.error(`jest left no result file: ${error.message}`);
    return undefined;
  }
}

const first = await runJest(full ? 'jest-full' : 'jest-sample', selected);
if (first === undefined) failed += 1;
else {
  passed += first.passed;
  let lasting = first.failed;
  // The tests start hundreds of real processes; on two cores a file may starve beside another. What failed is run once more by
  // itself: what fails again has failed, what passes is named, so that somebody looks into it.
  if (first.files.length > 0 && selected.length === 0) {
    console.log(`\n== once more, one after the other: ${first.files.map((file) => relative(root, file)).join(', ')}`);
    const second = await runJest(`jest-${full ? 'full' : 'sample'}-again`, [
      '--runInBand',
      '--runTestsByPath',
      ...first.files,
    ]);
    if (second !== undefined) {
      passed += Math.max(0, first.failed - second.failed);
      lasting = second.failed;
      const mended = first.files.filter((file) => !second.files.includes(file));
      if (mended.length > 0) {
        console.log(
          `\nPassed only by themselves, look into it: ${mended.map((file) => relative(root, file)).join(', ')}`,
        );
      }
    }
  }
  failed += lasting;
  // Ended by us (null) is told above, and fails nothing that passed.
  if (first.status !== 0 && first.status !== null && first.failed === 0) failed += 1;
}
writeFileSync(join(results, full ? 'full.json' : 'sample.json'), JSON.stringify({ passed, failed }));
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
