/** A click back, as its users make it: pushes that train, the workflow files as projects have them, the local GitHub and its reviewer. */
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { accountClients } from '../../cli/accounts.ts';
import { Control } from '../../cli/control.ts';
import { reviewer } from '../../cli/github-environments.ts';
import type { ReviewDecision, RunRecord } from '../../local/github/types.ts';
import { edit, errors, job, type ProjectWorld, production, region, startProject } from './project.ts';

let world: ProjectWorld;
const decisions: ReviewDecision['state'][] = [];
/** The run that brings the second model. */
let second: RunRecord;

beforeAll(async () => {
  world = await startProject({ decisions });
}, 180_000);
afterAll(() => world?.close());

async function rollBack(inputs: Record<string, string> = {}): Promise<RunRecord> {
  const { id } = await world.local.github.dispatchWorkflow(
    world.project.repository,
    'model-rollback.yml',
    'main',
    inputs,
  );
  return world.local.github.runs.wait(id);
}

const conclusions = (run: RunRecord) => run.jobs.map(({ name, conclusion }) => [name, conclusion]);

/** What every production endpoint says to one row. */
async function answers(): Promise<string[]> {
  return Promise.all(
    production.map(async (account) => {
      const { runtime } = accountClients(new Control(world.local.platform), account, region);
      const { Body } = await runtime.send(
        new InvokeEndpointCommand({
          EndpointName: `${world.group}-production`,
          ContentType: 'text/csv',
          Body: '0.48,0.35,0.135,0.5465,0.2735,0.0995,0.158,0,0,1',
        }),
      );
      return new TextDecoder().decode(Body).trim();
    }),
  );
}

async function cycles(): Promise<string[]> {
  const found = await Promise.all(
    Array.from({ length: await world.versions() }, (_, index) => world.describePackage(index + 1)),
  );
  return found.map(({ ModelLifeCycle: cycle }) => `${cycle?.Stage}/${cycle?.StageStatus}`);
}

const changed = (since: number) =>
  world
    .operations(since, /^(cloudformation|sagemaker):/)
    .filter(({ mutating }) => mutating)
    .map(({ operation }) => operation);

test('with one model there is nothing to go back to: nobody is asked, nothing is touched', async () => {
  decisions.push('approved');
  expect((await world.push('First model'))['model.yml']!.conclusion).toBe('success');
  const since = world.local.platform.calls.next;
  const run = await rollBack({ reason: 'A first try' });
  expect(run.conclusion).toBe('success');
  expect(conclusions(run)).toEqual([
    ['rollback / Choose the model', 'success'],
    ['rollback / Roll back production', 'skipped'],
    ['rollback / Record a refusal, if any', 'skipped'],
  ]);
  expect(job(run, 'rollback / Choose').annotations).toEqual([
    expect.objectContaining({ level: 'notice', message: expect.stringContaining('nothing to go back to') }),
  ]);
  expect(changed(since)).toEqual([]);
}, 180_000);

test('a click back: approved once, the earlier model answers everywhere, both packages say so', async () => {
  const first = await answers();
  decisions.push('approved');
  edit(world.project, 'model-build/build.yml', (text) => text.replace(/NumRound: \d+/, 'NumRound: 30'));
  second = (await world.push('Fewer rounds'))['model.yml']!;
  expect((await answers())[0]).not.toBe(first[0]);
  decisions.push('approved');
  const since = world.local.platform.calls.next;
  const run = await rollBack({ reason: 'Errors in the shop' });
  expect(conclusions(run)).toEqual([
    ['rollback / Choose the model', 'success'],
    ['rollback / Roll back production', 'success'],
    ['rollback / Record a refusal, if any', 'skipped'],
  ]);
  expect(run.name).toBe('Rollback');
  expect(run.approvals.map(({ environment, state }) => [environment, state])).toEqual([['production', 'approved']]);
  expect(await answers()).toEqual(first);
  expect(await world.deployedPackages('production')).toEqual([world.packageArn(1)]);
  expect(await world.deployedPackages('staging')).toEqual([world.packageArn(2)]);
  expect(await cycles()).toEqual(['Production/Approved', 'Production/RolledBack']);
  const { CustomerMetadataProperties, ModelLifeCycle } = await world.describePackage(1);
  expect(CustomerMetadataProperties).toMatchObject({
    'production-reviewer': reviewer,
    'production-run': expect.stringContaining(`/runs/${run.id}`),
    'production-reason': 'Errors in the shop',
  });
  expect(ModelLifeCycle!.StageDescription).toMatch(
    new RegExp(`runs/${run.id}, approved by ${reviewer}: Errors in the shop$`),
  );
  // Only the production job has deployed and said so; no training.
  expect(
    world
      .operations(since, /UpdateModelPackage|UpdateStackSet/)
      .filter(({ principal }) => !principal.includes('ci-deploy-production')),
  ).toEqual([]);
  expect(world.operations(since, /StartPipelineExecution/)).toEqual([]);
}, 180_000);

test('the run that brought the other model, run again, does not bring it back', async () => {
  decisions.push('approved');
  const since = world.local.platform.calls.next;
  await world.local.github.runs.rerun(second.id, 'all');
  const again = await world.local.github.runs.wait(second.id);
  expect(job(again, 'production / Deploy').conclusion).toBe('failure');
  expect(errors(job(again, 'production / Deploy'))).toMatch(
    /went back from this package.*Errors in the shop.*model-rollback/s,
  );
  expect(changed(since)).toEqual([]);
}, 60_000);

test('a reviewer who refuses keeps the model, which is written beside it', async () => {
  decisions.push('rejected');
  const since = world.local.platform.calls.next;
  const run = await rollBack({ version: '2', reason: 'It was not the model' });
  expect(conclusions(run)).toEqual([
    ['rollback / Choose the model', 'success'],
    ['rollback / Roll back production', 'failure'],
    ['rollback / Record a refusal, if any', 'success'],
  ]);
  expect(changed(since)).toEqual(['sagemaker:UpdateModelPackage']);
  expect(await cycles()).toEqual(['Production/Approved', 'Production/RolledBack']);
  expect((await world.describePackage(1)).CustomerMetadataProperties).toMatchObject({
    'refused-reviewer': reviewer,
    'refused-run': expect.stringContaining(`/runs/${run.id}`),
  });
}, 60_000);

test('a rollback is undone by its version; then the next push deploys the next model', async () => {
  decisions.push('approved');
  expect((await rollBack({ version: '2' })).conclusion).toBe('success');
  expect(await world.deployedPackages('production')).toEqual([world.packageArn(2)]);
  expect(await cycles()).toEqual(['Production/Approved', 'Production/Approved']);
  decisions.push('approved');
  expect((await rollBack()).conclusion).toBe('success');
  expect(await world.deployedPackages('production')).toEqual([world.packageArn(1)]);
  decisions.push('approved');
  edit(world.project, 'model-build/build.yml', (text) => text.replace(/NumRound: \d+/, 'NumRound: 40'));
  expect((await world.push('Some more rounds'))['model.yml']!.conclusion).toBe('success');
  expect(await world.deployedPackages('production')).toEqual([world.packageArn(3)]);
  expect(await cycles()).toEqual(['Production/Approved', 'Production/RolledBack', 'Production/Approved']);
}, 180_000);

test('a refused change of the configuration leaves the model in production, and the next one is deployed', async () => {
  const before = await cycles();
  decisions.push('rejected');
  const since = world.local.platform.calls.next;
  const change = (from: number, to: number) =>
    edit(world.project, 'model-deploy/stages/production.yml', (text) =>
      text.replace(`instance-count: ${from}`, `instance-count: ${to}`),
    );
  change(2, 3);
  const refused = (await world.push('A third instance'))['redeploy.yml']!;
  expect(job(refused, 'production / Record').conclusion).toBe('success');
  expect(changed(since)).toEqual(['sagemaker:UpdateModelPackage']);
  expect(await cycles()).toEqual(before);
  expect((await world.describePackage(3)).CustomerMetadataProperties).toMatchObject({ 'refused-reviewer': reviewer });
  decisions.push('approved');
  change(3, 4);
  const deployed = (await world.push('A fourth instance'))['redeploy.yml']!;
  expect([deployed.conclusion, job(deployed, 'production / Deploy').outputs['status'] ?? '']).toEqual(['success', '']);
  expect(await world.deployedPackages('production')).toEqual([world.packageArn(3)]);
  expect(await cycles()).toEqual(before);
}, 60_000);

test('staging goes back without asking anybody, and production is not touched', async () => {
  const before = await cycles();
  const since = world.local.platform.calls.next;
  const run = await rollBack({ stage: 'staging', reason: 'To compare' });
  expect([run.conclusion, run.approvals]).toEqual(['success', []]);
  expect(await world.deployedPackages('staging')).toEqual([world.packageArn(1)]);
  expect(await world.deployedPackages('production')).toEqual([world.packageArn(3)]);
  expect(world.operations(since, /./).filter(({ principal }) => principal.includes('deploy-production'))).toEqual([]);
  expect(await cycles()).toEqual(before);
}, 60_000);
