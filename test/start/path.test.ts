/**
 * The path from a push to production as its users walk it, on one world: the committed bundles and the workflow files,
 * unmodified, by the local GitHub. What happened is read from the platform (registry, stack sets, call log), not from logs.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ListStackInstancesCommand } from '@aws-sdk/client-cloudformation';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { DescribeEndpointCommand, DescribeEndpointConfigCommand } from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accountClients } from '../../cli/accounts.ts';
import { Control } from '../../cli/control.ts';
import { reviewer } from '../../cli/github-environments.ts';
import { makeLocalProject } from '../../cli/local-project.ts';
import { git } from '../../cli/project.ts';
import type { ReviewDecision } from '../../local/github/types.ts';
import { edit, errors, job, type ProjectWorld, production, region, staging, startProject } from './project.ts';

let world: ProjectWorld;
/** What the reviewer will say, one for each job that waits. */
const decisions: ReviewDecision['state'][] = [];

beforeAll(async () => {
  world = await startProject({ decisions });
}, 180_000);
afterAll(() => world?.close());

describe('from a push to production', () => {
  let heldOut: string;
  let predictions: number[];

  test('the first push trains, gates and deploys to staging and, approved, to production', async () => {
    decisions.push('approved');
    const runs = await world.push('First model');
    expect(runs['model.yml']!.jobs.map(({ name, conclusion }) => [name, conclusion])).toEqual([
      ['build / Run the pipeline', 'success'],
      ['gate / Judge the model', 'success'],
      ['staging / Deploy to staging', 'success'],
      ['staging / Record a refusal, if any', 'skipped'],
      ['production / Deploy to production', 'success'],
      ['production / Record a refusal, if any', 'skipped'],
    ]);
    const described = await world.describePackage(1);
    expect(described.ModelApprovalStatus).toBe('Approved');
    expect(described.ModelLifeCycle).toMatchObject({ Stage: 'Production', StageStatus: 'Approved' });
    expect(described.CustomerMetadataProperties!['gate-artifact-sha256']).toBe(await world.artifactSha256(1));
    expect(described.CustomerMetadataProperties!['commit']).toBe(runs['model.yml']!.sha);
    expect(runs['model.yml']!.approvals).toEqual([
      { environment: 'production', state: 'approved', user: reviewer, comment: 'approved in a test' },
    ]);
    expect(await world.deployedPackages('staging')).toEqual([world.packageArn(1)]);
    expect(await world.deployedPackages('production')).toEqual([world.packageArn(1)]);
  }, 180_000);

  test('every endpoint answers the held-out rows with the evaluation step’s own predictions', async () => {
    const { ModelMetrics } = await world.describePackage(1);
    const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.+)\/[^/]+$/.exec(ModelMetrics!.ModelQuality!.Statistics!.S3Uri!)!;
    const text = async (name: string) =>
      (
        await world.admin().s3.send(new GetObjectCommand({ Bucket: bucket!, Key: `${prefix}/${name}` }))
      ).Body!.transformToString();
    heldOut = await text('held-out.csv');
    predictions = (await text('predictions.csv')).trim().split(/\s+/).map(Number);
    for (const [account, stage] of [[staging, 'staging'], ...production.map((one) => [one, 'production'])] as const) {
      const { runtime } = accountClients(new Control(world.local.platform), account!, region);
      const { Body } = await runtime.send(
        new InvokeEndpointCommand({ EndpointName: `${world.group}-${stage}`, ContentType: 'text/csv', Body: heldOut }),
      );
      const answers = new TextDecoder()
        .decode(Body)
        .trim()
        .split(/[\s,]+/)
        .map(Number);
      expect(answers).toHaveLength(predictions.length);
      expect(Math.max(...answers.map((answer, index) => Math.abs(answer - predictions[index]!)))).toBeLessThan(1e-6);
    }
  }, 60_000);

  test('a change of the deployment redeploys the package in production without training', async () => {
    decisions.push('approved');
    const since = world.local.platform.calls.next;
    edit(world.project, 'model-deploy/stages/production.yml', (text) =>
      text.replace('instance-count: 2', 'instance-count: 3'),
    );
    const runs = await world.push('A third instance');
    expect(Object.keys(runs)).toEqual(['redeploy.yml']);
    expect(runs['redeploy.yml']!.conclusion).toBe('success');
    expect(world.operations(since, /CreateTrainingJob|StartPipelineExecution/)).toEqual([]);
    for (const account of production) {
      const { sagemaker } = world.local.platform.administrator(account);
      const endpoint = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: `${world.group}-production` }));
      const { ProductionVariants } = await sagemaker.send(
        new DescribeEndpointConfigCommand({ EndpointConfigName: endpoint.EndpointConfigName! }),
      );
      expect(ProductionVariants![0]!.InitialInstanceCount).toBe(3);
      expect(endpoint.EndpointStatus).toBe('InService');
    }
    expect(await world.deployedPackages('production')).toEqual([world.packageArn(1)]);
    // Staging's file did not change: nothing there was touched.
    expect(
      world
        .operations(since, /^cloudformation:(Create|Update|Delete)/)
        .filter(({ principal }) => principal.includes('ci-deploy-staging')),
    ).toEqual([]);
  }, 120_000);

  test('a refused approval deploys nothing and is recorded on the package by ci-record', async () => {
    decisions.push('rejected');
    const since = world.local.platform.calls.next;
    edit(world.project, 'model-build/build.yml', (text) => text.replace(/NumRound: \d+/, 'NumRound: 30'));
    const runs = await world.push('Fewer rounds');
    const run = runs['model.yml']!;
    expect(run.conclusion).toBe('failure');
    expect(job(run, 'staging / Deploy').conclusion).toBe('success');
    expect(job(run, 'production / Record').conclusion).toBe('success');
    expect(await world.deployedPackages('staging')).toEqual([world.packageArn(2)]);
    expect(await world.deployedPackages('production')).toEqual([world.packageArn(1)]);
    expect(world.operations(since, /./).filter(({ principal }) => principal.includes('ci-deploy-production'))).toEqual(
      [],
    );
    const described = await world.describePackage(2);
    expect(described.ModelApprovalStatus).toBe('Approved');
    expect(described.ModelLifeCycle).toMatchObject({ Stage: 'Production', StageStatus: 'Rejected' });
    expect(described.ModelLifeCycle!.StageDescription).toContain(reviewer);
    const writes = world
      .operations(since, /^sagemaker:UpdateModelPackage$/)
      .filter(({ principal }) => principal.includes('ci-record'));
    expect(writes).toHaveLength(1);
  }, 180_000);

  test('other rounds are another model: its metrics differ, and the same rounds give the same again', async () => {
    const mse = async (version: number) => {
      const { ModelMetrics } = await world.describePackage(version);
      const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(ModelMetrics!.ModelQuality!.Statistics!.S3Uri!)!;
      const { Body } = await world.admin().s3.send(new GetObjectCommand({ Bucket: bucket!, Key: key! }));
      return JSON.parse(await Body!.transformToString()).regression_metrics.mse.value as number;
    };
    // 50 rounds: what xgboost 3.2.0 gives with the seed's split on every machine and number of threads.
    expect(await mse(1)).toBeCloseTo(4.72006, 4);
    expect(await mse(2)).toBeCloseTo(4.56574, 4);
    expect(await world.artifactSha256(2)).not.toBe(await world.artifactSha256(1));
  });

  test('a rule that is missed rejects the package with its evidence and fails the job', async () => {
    edit(world.project, 'model-build/gate.yml', (text) => text.replace('limit: 6.0', 'limit: 3.5'));
    const runs = await world.push('A stricter rule');
    const run = runs['model.yml']!;
    expect(job(run, 'gate').conclusion).toBe('failure');
    expect(job(run, 'staging').conclusion).toBe('skipped');
    expect(errors(job(run, 'gate'))).toMatch(/mse.*4\.56\d*.*3\.5/);
    const described = await world.describePackage(3);
    expect(described.ModelApprovalStatus).toBe('Rejected');
    expect(described.ApprovalDescription).toMatch(/mse 4\.56\d*, limit 3\.5/);
    edit(world.project, 'model-build/gate.yml', (text) => text.replace('limit: 3.5', 'limit: 6.0'));
  }, 120_000);

  test('a condition of the pipeline that is not met registers nothing and fails with its values', async () => {
    const before = await world.versions();
    edit(world.project, 'model-build/build.yml', (text) => text.replace(/SanityLimit: \d+/, 'SanityLimit: 0'));
    const runs = await world.push('An impossible limit');
    const run = runs['model.yml']!;
    expect(job(run, 'build').conclusion).toBe('failure');
    expect(job(run, 'gate').conclusion).toBe('skipped');
    expect(errors(job(run, 'build'))).toMatch(/4\.56\d*.*\b0\b/s);
    expect(await world.versions()).toBe(before);
  }, 120_000);

  test('a push outside of the paths of a workflow starts none', async () => {
    const since = world.local.platform.calls.next;
    writeFileSync(join(world.project.directory, 'NOTES.md'), 'Nothing to build.\n');
    expect(await world.push('Notes')).toEqual({});
    expect(world.operations(since, /./)).toEqual([]);
  }, 30_000);

  test('another branch that runs the same workflow is let into no environment, and no call is made', async () => {
    const since = world.local.platform.calls.next;
    await git(world.project.directory, 'switch', '--quiet', '--create', 'feature');
    await git(world.project.directory, 'push', '--quiet', 'origin', 'HEAD:refs/heads/feature');
    const dispatched = await world.local.github.dispatchWorkflow(world.project.repository, 'redeploy.yml', 'feature');
    const run = await world.local.github.runs.wait(dispatched.id);
    await git(world.project.directory, 'switch', '--quiet', 'main');
    expect(run.conclusion).toBe('failure');
    expect(world.operations(since, /./).filter(({ status }) => (status ?? 500) < 400)).toEqual([]);
  }, 60_000);
});

describe('an environment that nobody configured', () => {
  test('nothing reaches production, and the job says why and how to mend', async () => {
    const unprotected = ['build', 'model-approval', 'model-record', 'staging'].map((name) => ({ name }));
    const { project: other } = await makeLocalProject(world.local, {
      stateDirectory: world.state,
      owner: 'acme',
      name: 'iris',
      folder: 'iris',
      environments: unprotected,
    });
    const since = world.local.platform.calls.next;
    const runs = await world.push('First model', other);
    const run = runs['model.yml']!;
    expect(errors(job(run, 'build'))).toBe('');
    expect(job(run, 'staging / Deploy').conclusion).toBe('success');
    expect(job(run, 'production / Deploy').conclusion).toBe('failure');
    expect(errors(job(run, 'production / Deploy'))).toMatch(/production.*(reviewer|protect)/is);
    const sets = world
      .operations(since, /^cloudformation:(CreateStackSet|CreateStackInstances)$/)
      .filter(({ principal }) => principal.includes('ci-deploy-production'));
    expect(sets).toEqual([]);
    const { Summaries } = await world
      .admin()
      .cloudformation.send(
        new ListStackInstancesCommand({ StackSetName: `sagemaker-${other.name}-${other.id}-deploy-staging` }),
      );
    expect(Summaries!.map(({ Account, Status }) => [Account, Status])).toEqual([[staging, 'CURRENT']]);
  }, 180_000);
});
