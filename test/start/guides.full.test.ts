/**
 * What docs/your-model.md and docs/stages.md show, done as written: the ridge regression, patched in, compiled, trained, judged,
 * deployed and asked; an old run found in the registry by the AWS CLI and made again; waves, redeploy and rollback from their blocks.
 * The seed's model is version 1 for all; a test that needs the ridge regression asks for it, so each also runs alone.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { ListEndpointsCommand } from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { accountClients } from '../../cli/accounts.ts';
import { Control } from '../../cli/control.ts';
import type { ReviewDecision, RunRecord } from '../../local/github/types.ts';
import { ensureTools, pythonEnvironment } from '../../local/python/index.ts';
import { codeBlocks } from './pages.ts';
import { edit, errors, job, type ProjectWorld, production, region, startProject } from './project.ts';
import { root } from './support.ts';

const read = (page: string) => readFileSync(join(root, page), 'utf8');
const modelPage = read('docs/your-model.md');
const model = codeBlocks(modelPage);
const stages = codeBlocks(read('docs/stages.md'));
/** The text of the one block that has this in it. */
function block(of: typeof model, text: string): string {
  const found = of.filter((one) => one.text.includes(text));
  expect(found).toHaveLength(1);
  return found[0]!.text;
}

let world: ProjectWorld;
let home: string;
let environment: NodeJS.ProcessEnv;
const decisions: ReviewDecision['state'][] = [];

beforeAll(async () => {
  world = await startProject({ decisions });
  const tools = await ensureTools({ directory: join(root, '.sagemaker-mlops/python'), progress: () => {} });
  // A folder that looks like the checkout: npx finds the command line, the state lies in .sagemaker-mlops.
  home = join(world.state, 'checkout');
  mkdirSync(join(home, 'bin'), { recursive: true });
  symlinkSync(world.state, join(home, '.sagemaker-mlops'));
  writeFileSync(
    join(home, 'bin/npx'),
    `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(root, 'cli/bin.mjs')}" "$@"\n`,
  );
  chmodSync(join(home, 'bin/npx'), 0o755);
  environment = {
    ...pythonEnvironment(),
    SAGEMAKER_MLOPS_STATE: world.state,
    NO_COLOR: '1',
    HOME: home,
    PATH: [join(home, 'bin'), join(tools.directory, 'bin'), process.env['PATH']].join(delimiter),
  };
  decisions.push('approved');
  expect(conclusions((await world.push('First model'))['model.yml'])).toEqual(['success', []]);
}, 300_000);
afterAll(() => world?.close());

async function bash(script: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: home,
    env: { ...environment, ...more },
  });
  return stdout;
}

async function answers(row: string): Promise<string[]> {
  return Promise.all(
    production.map(async (account) => {
      const { runtime } = accountClients(new Control(world.local.platform), account, region);
      const { Body } = await runtime.send(
        new InvokeEndpointCommand({
          EndpointName: `${world.group}-production`,
          ContentType: 'text/csv',
          Body: row,
        }),
      );
      return new TextDecoder().decode(Body).trim();
    }),
  );
}

const conclusions = (run: RunRecord | undefined) => [
  run?.conclusion,
  run?.jobs.filter(({ conclusion }) => conclusion === 'failure').map(({ name, log }) => [name, log]),
];

/** Version 2 is the line that the gate refuses, version 3 the curve that goes to production. */
let shipped: Promise<void> | undefined;
const shipRidge = () => {
  shipped ??= ridge();
  return shipped;
};
async function ridge(): Promise<void> {
  const folder = world.project.directory;
  for (const { text } of model.filter(({ language }) => language === 'python')) {
    const [, path, rest] = /^# (\S+)\n([\s\S]*)$/.exec(text)!;
    writeFileSync(join(folder, path!), rest!);
  }
  writeFileSync(join(folder, 'ridge.patch'), block(model, '--- a/model-build/pipeline.py'));
  await bash(`cd ${folder}\n${block(model, 'git apply')}\nrm ridge.patch`);
  const compile = block(model, 'pipeline.py > pipeline.json').trimEnd().split('\n');
  expect(compile).toHaveLength(2);
  // pip's settings are those of whoever runs this.
  await bash([`cd ${join(folder, 'model-build')}`, ...compile].join('\n'), { HOME: process.env['HOME'] });

  edit(world.project, 'model-build/build.yml', (text) => text.replace('Degree: 2', 'Degree: 1'));
  const line = (await world.push('A line'))['model.yml']!;
  expect(line.conclusion).toBe('failure');
  expect(line.jobs.map(errors).join('\n')).toMatch(/regression_metrics\.mse\.value/);
  expect(await world.deployedPackages('production')).toEqual([world.packageArn(1)]);

  edit(world.project, 'model-build/build.yml', (text) => text.replace('Degree: 1', 'Degree: 2'));
  decisions.push('approved');
  expect(conclusions((await world.push('A quadratic ridge regression'))['model.yml'])).toEqual(['success', []]);
  expect(await world.deployedPackages('production')).toEqual([world.packageArn(3)]);
}

/** The error that a version's evaluation reports, as the page rounds it. */
async function meanSquaredError(version: number): Promise<string> {
  const { ModelMetrics: metrics } = await world.describePackage(version);
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(metrics!.ModelQuality!.Statistics!.S3Uri!)!;
  const { Body } = await world.admin().s3.send(new GetObjectCommand({ Bucket, Key }));
  return JSON.parse(await Body!.transformToString()).regression_metrics.mse.value.toFixed(2);
}

test('an old run is found in the registry: its metrics, what led to it, the very bytes; made again it is as good', async () => {
  const find = block(model, 'list-model-packages').replace(/group=\S+/, `group=${world.group}`);
  const again = block(model, 'list-pipeline-parameters-for-execution');
  const output = await bash(`${find}\n${again}`);
  expect(output).toContain('1\tApproved\tProduction\tApproved');
  const { CustomerMetadataProperties: metadata = {} } = await world.describePackage(1);
  for (const key of ['commit', 'run-url', 'gate-rules-sha256', 'gate-image-digest', 'production-reviewer'])
    expect(output).toContain(`"${key}": "${metadata[key]}"`);
  expect(output).toMatch(/"mse": \{\s+"value": 4\.72006/);
  expect(output).toMatch(/^InputDataUrl\ts3:.*\/data\/[0-9a-f]{64}\/abalone\.csv$/m);
  expect(output).toContain(`${metadata['gate-artifact-sha256']}  -`);
  expect(output).toMatch(/^ {2}metrics {3}mse 4\.7201,/m);
}, 240_000);

test('another algorithm: the files, the patch, the compilation and what becomes of them', async () => {
  await shipRidge();
  const { InferenceSpecification: inference } = await world.describePackage(3);
  expect(inference!.Containers![0]!.Image).toContain('/sagemaker-scikit-learn:1.4-2-cpu-py3');
  const both = await answers('0.48,0.35,0.135,0.5465,0.2735,0.0995,0.158,0,0,1');
  expect(both[0]).toMatch(/^\d+\.\d+$/);
  expect(both[1]).toBe(both[0]);
  const said = /mse is ([\d.]+), XGBoost's ([\d.]+); with `Degree: 1` it is ([\d.]+)/.exec(modelPage)!;
  expect(said.slice(1)).toEqual([await meanSquaredError(3), await meanSquaredError(1), await meanSquaredError(2)]);
}, 300_000);

test('a stage with waves, deployed again without training; a click back to the model before', async () => {
  await shipRidge();
  const written = block(stages, 'rest: true').replace(', "999900001111"', '');
  edit(world.project, 'model-deploy/stages/production.yml', () => written);
  decisions.push('approved');
  let since = world.local.platform.calls.next;
  expect(conclusions((await world.push('Waves'))['redeploy.yml'])).toEqual(['success', []]);
  const steps = world
    .operations(since, /^cloudformation:(Update|Create)Stack(Set|Instances)$/)
    .filter(({ principal }) => principal.includes('ci-deploy-production'))
    .map(({ operation }) => operation);
  expect(steps).toEqual(['cloudformation:UpdateStackSet', 'cloudformation:UpdateStackInstances']);
  expect(world.operations(since, /StartPipelineExecution/)).toEqual([]);

  decisions.push('approved');
  since = world.local.platform.calls.next;
  const back = block(stages, 'model-rollback -f version=1').split('\n')[0]!;
  expect(await bash(back)).toContain('Succeeded.');
  expect(await world.deployedPackages('production')).toEqual([world.packageArn(1)]);
  expect((await world.describePackage(3)).ModelLifeCycle).toMatchObject({ StageStatus: 'RolledBack' });
}, 300_000);

test('an account is taken from a stage: half of it only when that is said', async () => {
  const [first, second] = production;
  const before = await world.deployedPackages('production');
  edit(world.project, 'model-deploy/stages/production.yml', (text) => text.replace(new RegExp(`, ?"${second}"`), ''));
  decisions.push('approved', 'approved');
  const refused = (await world.push('One account less'))['redeploy.yml']!;
  expect(refused.conclusion).toBe('failure');
  expect(errors(job(refused, 'production / Deploy'))).toContain('run again with max-removals: 50');
  expect(await bash(block(stages, 'max-removals='))).toContain('Succeeded.');
  const endpoints = await Promise.all(
    [first, second].map(async (account) => {
      const { sagemaker } = accountClients(new Control(world.local.platform), account, region);
      return (await sagemaker.send(new ListEndpointsCommand({}))).Endpoints!.length;
    }),
  );
  expect(endpoints).toEqual([1, 0]);
  expect(await world.deployedPackages('production')).toEqual(before);
  const stands = [1, 3].find((version) => before[0] === world.packageArn(version))!;
  expect((await world.describePackage(stands)).ModelLifeCycle).toMatchObject({
    Stage: 'Production',
    StageStatus: 'Approved',
  });
}, 240_000);
