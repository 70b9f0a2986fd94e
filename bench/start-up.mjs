// Start-up to a clean input error for each action, over bare node, and the bytes of all bundles: ratios and differences from one
// run, because absolute times depend on the machine. Fails only on bytes, which are exact.
// With --readme the table of README.md is written anew from this run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const runs = Number(process.env.BENCH_RUNS ?? 21);
const byteBudget = 1_200_000;
const milliseconds = { aim: 60, unit: 'ms over bare node' };

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const output = join(folder, 'output');
writeFileSync(output, '');
const env = { PATH: process.env.PATH, GITHUB_OUTPUT: output };
const time = (args) => {
  const started = process.hrtime.bigint();
  spawnSync(process.execPath, args, { env, stdio: 'ignore' });
  return Number(process.hrtime.bigint() - started) / 1e6;
};
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const entries = readdirSync(dist).filter((name) => name.endsWith('.js') && name !== 'index.js');
const samples = new Map([['bare node', []], ...entries.map((name) => [name, []])]);
for (let run = 0; run < runs; run += 1) {
  // Interleaved, so that what else happens on the machine hits all alike.
  for (const [name, list] of samples) list.push(time(name === 'bare node' ? ['-e', '0'] : [join(dist, name)]));
}
rmSync(folder, { recursive: true, force: true });

const floor = { median: median(samples.get('bare node')), minimum: Math.min(...samples.get('bare node')) };
console.log(
  `Start-up to a clean input error (${runs} interleaved runs, ${process.version}, bare node ${floor.median.toFixed(1)} ms)`,
);
for (const name of entries) {
  const list = samples.get(name);
  const over = median(list) - floor.median;
  const minimum = Math.min(...list) - floor.minimum;
  const note = over > milliseconds.aim ? `  over the aim of ${milliseconds.aim}` : '';
  console.log(
    `  ${name.padEnd(24)} ${(median(list) / floor.median).toFixed(2)} x bare node, +${over.toFixed(1)} ms (minima +${minimum.toFixed(1)})${note}`,
  );
}
const code = readdirSync(dist).filter((name) => /\.m?js$/.test(name));
const bytes = code.reduce((sum, name) => sum + statSync(join(dist, name)).size, 0);
console.log(
  `Bundles: ${bytes} bytes in ${code.length} files, ${((100 * bytes) / byteBudget).toFixed(0)} % of ${byteBudget}`,
);
// What "Download action repository" fetches for a job: the archive of the commit, without what .gitattributes leaves out.
const root = fileURLToPath(new URL('..', import.meta.url));
const archive = spawnSync('git', ['archive', '--format=tar.gz', 'HEAD'], { cwd: root, maxBuffer: 2 ** 30 });
if (archive.status !== 0) throw new Error(`git archive failed: ${archive.stderr}`);
console.log(`Archive that GitHub downloads: ${archive.stdout.length} bytes (git archive HEAD as tar.gz)`);

if (process.argv.includes('--readme')) {
  const ratios = entries.map((name) => median(samples.get(name)) / floor.median);
  const over = entries.map((name) => median(samples.get(name)) - floor.median);
  const span = (values, digits) => `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
  const table = [
    '| what | measured |',
    '|---|---|',
    `| start of an action up to its first input error, bare \`node -e 0\` = 1 | ${span(ratios, 2)} (+${span(over, 0)} ms; medians of ${runs} interleaved runs, ${process.version}) |`,
    `| all bundles of all actions | ${(bytes / 1e6).toFixed(2)} MB in ${code.length} files |`,
    `| archive that GitHub downloads for a job | ${(archive.stdout.length / 1e6).toFixed(2)} MB |`,
  ].join('\n');
  const file = fileURLToPath(new URL('../README.md', import.meta.url));
  const readme = readFileSync(file, 'utf8');
  const markers = /(<!-- bench: start [^>]*-->\n)[\s\S]*?(<!-- bench: end -->)/;
  if (!markers.test(readme)) throw new Error('README.md has no markers for the table of the bench.');
  writeFileSync(
    file,
    readme.replace(markers, (_, start, end) => `${start}${table}\n${end}`),
  );
  console.log('README.md has the table of this run.');
}
if (bytes > byteBudget) {
  console.log('The bundles are larger than their budget.');
  process.exitCode = 1;
}
