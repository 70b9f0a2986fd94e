// Emptying a versioned bucket: cleanup's way against the plain loop of `aws s3api delete-object`, per 1,000 versions, as a ratio from
// one run on the same local platform; and the memory that it takes for few and for many versions. Fails below a ratio of 5, and when many
// versions take much more memory than few. With --readme the sentence of README.md is written anew from this run.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

const root = fileURLToPath(new URL('..', import.meta.url));
const many = Number(process.env.BENCH_VERSIONS ?? 10_000);
const looped = Number(process.env.BENCH_LOOP ?? 200);
const few = 1_000;

const client = () => new S3Client({ forcePathStyle: true });

/** In a process of its own, as an action runs: empties a bucket and tells how long that took and what it held at most. */
async function emptyInThisProcess(bucket) {
  const { emptyBucket } = await import('../src/cleanup/emptying.ts');
  const s3 = client();
  let peak = 0;
  // What is alive, not what waits for the collector: that is what grows with the bucket where something is kept.
  const look = () => {
    globalThis.gc();
    peak = Math.max(peak, process.memoryUsage().heapUsed);
  };
  const started = performance.now();
  const { removed, failed } = await emptyBucket({ send: (command) => s3.send(command) }, bucket, { progress: look });
  const milliseconds = performance.now() - started;
  console.log(JSON.stringify({ milliseconds, removed, failed, peak }));
}

async function run(command, args, env) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
  return output;
}

/** Half of the versions are delete markers, as after a year of overwriting and deleting. */
async function fill(s3, bucket, versions) {
  await s3.send(
    new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }),
  );
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  const keys = Array.from({ length: versions / 2 }, (_, index) => `models/${index}/model.tar.gz`);
  for (let start = 0; start < keys.length; start += 50) {
    const some = keys.slice(start, start + 50);
    await Promise.all(some.map((Key) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }))));
  }
  for (let start = 0; start < keys.length; start += 1_000) {
    const Objects = keys.slice(start, start + 1_000).map((Key) => ({ Key }));
    await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
  }
}

async function main() {
  const { startPlatform } = await import('../local/platform.ts');
  const { ensurePythonEnvironment, ensureTools, pythonEnvironment } = await import('../local/python/index.ts');
  const { defaultWorld } = await import('../local/aws/core/world.ts');
  const directory = join(root, '.sagemaker-mlops/python');
  const python = await ensurePythonEnvironment({ directory, progress: () => {} });
  const tools = await ensureTools({ directory, progress: () => {} });
  const stateDirectory = await mkdtemp(join(tmpdir(), 'sagemaker-mlops-bench-'));
  const quiet = { debug() {}, info() {}, warn() {} };
  const platform = await startPlatform({ world: defaultWorld, stateDirectory, logger: quiet, python });
  try {
    const account = defaultWorld.accounts[0].id;
    const answer = await fetch(`${platform.url}/_local/credentials`, {
      method: 'POST',
      headers: { authorization: `Bearer ${platform.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ account }),
    });
    const keys = await answer.json();
    const env = {
      ...pythonEnvironment(),
      PATH: [join(tools.directory, 'bin'), process.env.PATH].join(delimiter),
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_SESSION_TOKEN: keys.sessionToken,
      AWS_REGION: 'eu-west-1',
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL: platform.url,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const { s3 } = platform.administrator(account);
    await fill(s3, 'bench-few', few);
    await fill(s3, 'bench-many', many);
    await fill(s3, 'bench-loop', looped);

    const empty = async (bucket) =>
      JSON.parse(await run(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), '--empty', bucket], env));
    const small = await empty('bench-few');
    const large = await empty('bench-many');
    if (large.removed !== many || large.failed !== 0) throw new Error(`only ${large.removed} of ${many} were removed`);

    const listed = JSON.parse(await run('aws', ['s3api', 'list-object-versions', '--bucket', 'bench-loop'], env));
    const versions = [...listed.Versions, ...listed.DeleteMarkers];
    const started = performance.now();
    for (const { Key, VersionId } of versions) {
      await run(
        'aws',
        ['s3api', 'delete-object', '--bucket', 'bench-loop', '--key', Key, '--version-id', VersionId],
        env,
      );
    }
    const loop = (1_000 * (performance.now() - started)) / versions.length;
    const ours = (1_000 * large.milliseconds) / large.removed;
    const ratio = loop / ours;
    const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
    console.log(
      [
        `Emptying a bucket of ${many} versions and delete markers (per 1,000, one run, ${process.version})`,
        `  cleanup                   ${ours.toFixed(0).padStart(8)} ms`,
        `  aws s3api loop (of ${versions.length})   ${loop.toFixed(0).padStart(8)} ms, ${ratio.toFixed(1)} x as long`,
        `  live memory at most       ${megabytes(large.peak).padStart(8)} MB, with ${few} versions ${megabytes(small.peak)} MB`,
      ].join('\n'),
    );
    if (ratio < 5) {
      console.log('Less than five times as fast as the loop.');
      process.exitCode = 1;
    }
    if (large.peak > 1.3 * small.peak) {
      console.log('Memory grows with the bucket.');
      process.exitCode = 1;
    }
    if (process.argv.includes('--readme')) {
      const file = join(root, 'README.md');
      const readme = await readFile(file, 'utf8');
      const markers = /(<!-- bench-emptying: start [^>]*-->\n)[\s\S]*?(<!-- bench-emptying: end -->)/;
      if (!markers.test(readme)) throw new Error('README.md has no markers for the sentence of this bench.');
      const sentence = `Emptying a bucket of ${many} versions and delete markers: ${ours.toFixed(0)} ms per 1,000; the plain loop of \`aws s3api delete-object\` takes ${ratio.toFixed(0)} times as long. Live memory at most ${megabytes(large.peak)} MB, with ${few} versions ${megabytes(small.peak)} MB.`;
      await writeFile(
        file,
        readme.replace(markers, (_, start, end) => `${start}${sentence}\n${end}`),
      );
      console.log('README.md has the sentence of this run.');
    }
  } finally {
    await platform.close();
    await rm(stateDirectory, { recursive: true, force: true });
  }
}

const at = process.argv.indexOf('--empty');
if (at >= 0) await emptyInThisProcess(process.argv[at + 1]);
else await main();
