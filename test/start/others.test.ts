/**
 * What else goes on around a deployment: newer packages while a reviewer thinks, a run that is run again, and strangers that use
 * the same workflow files. Whole runs of the committed bundles by the local GitHub, judged by registry, stack sets and call log.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ListPipelineExecutionsCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Control } from '../../cli/control.ts';
import { reviewer } from '../../cli/github-environments.ts';
import { git, initializeRepository } from '../../cli/project.ts';
import { report } from '../../cli/report.ts';
import { reviewTable } from '../../cli/review.ts';
import { createTerminal } from '../../cli/terminal.ts';
import type { RunRecord } from '../../local/github/types.ts';
import { edit, errors, job, type ProjectWorld, region, startProject } from './project.ts';

let world: ProjectWorld;
beforeAll(async () => {
  world = await startProject();
}, 180_000);
afterAll(() => world?.close());

/** Resolves when the run's production job waits for its reviewer. */
async function untilAsked(run: RunRecord): Promise<void> {
  const { github } = world.local;
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (github.runs.pendingDeployments(run.id).length > 0) resolve();
      else if (run.status === 'completed') reject(new Error(`nobody was asked: ${JSON.stringify(run.jobs)}`));
      else return;
      unsubscribe();
    };
    const unsubscribe = github.subscribe(look);
    look();
  });
}

/** What the reviewer of production is shown. */
function asked(run: RunRecord): Promise<string[]> {
  const { platform } = world.local;
  const waiting = run.jobs.find(({ status }) => status === 'waiting')!;
  const request = { run, job: waiting, environment: 'production', reviewers: [reviewer] };
  return reviewTable(new Control(platform), world.project, platform.context.world.accounts, request);
}

async function approve(run: RunRecord): Promise<RunRecord> {
  await untilAsked(run);
  world.local.github.decide(run.id, 'production', 'approved', 'seen', reviewer);
  return world.local.github.runs.wait(run.id);
}

/** Pushes another model and resolves when its run waits for the reviewer of production. */
async function pushModel(rounds: number): Promise<RunRecord> {
  edit(world.project, 'model-build/build.yml', (text) => text.replace(/NumRound: \d+/, `NumRound: ${rounds}`));
  const { 'model.yml': run } = await world.begin(`${rounds} rounds`);
  await untilAsked(run!);
  return run!;
}

const byProduction = (since: number) =>
  world
    .operations(since, /./)
    .filter(({ principal, mutating }) => mutating && principal.includes('ci-deploy-production'))
    .map(({ operation }) => operation);

describe('while a reviewer thinks', () => {
  let first: RunRecord;
  let third: RunRecord;

  test('a newer package that is approved meanwhile is not swapped in; the older one is superseded once the newer is out', async () => {
    first = await pushModel(12);
    const second = await pushModel(13);
    expect((await world.describePackage(2)).ModelApprovalStatus).toBe('Approved');
    expect((await approve(first)).conclusion).toBe('success');
    expect(await world.deployedPackages('production')).toEqual([world.packageArn(1)]);
    expect((await world.describePackage(1)).ModelLifeCycle).toMatchObject({
      Stage: 'Production',
      StageStatus: 'Approved',
    });

    third = await pushModel(14);
    expect((await asked(third))[1]).toMatch(/package\s+version 3\s+version 1$/);
    expect((await approve(third)).conclusion).toBe('success');
    expect(await world.deployedPackages('production')).toEqual([world.packageArn(3)]);

    // The older one, approved too late: what is out already is newer.
    const since = world.local.platform.calls.next;
    const late = await approve(second);
    expect(late.conclusion).toBe('success');
    expect(await world.deployedPackages('production')).toEqual([world.packageArn(3)]);
    expect(byProduction(since).filter((operation) => operation.startsWith('cloudformation:'))).toEqual([]);
    expect(job(late, 'production / Deploy').annotations.map(({ message }) => message)).toEqual([
      `The stage production runs the newer package ${world.packageArn(3)}; this one is not deployed.`,
    ]);
    expect(job(late, 'production / Deploy').outputs).toMatchObject({ status: 'superseded' });
    expect((await world.describePackage(2)).ModelLifeCycle).toMatchObject({
      Stage: 'Production',
      StageStatus: 'Rejected',
      StageDescription: `Superseded by ${world.packageArn(3)}`,
    });
    expect((await world.describePackage(3)).ModelLifeCycle).toMatchObject({
      Stage: 'Production',
      StageStatus: 'Approved',
    });
  }, 240_000);

  test('the report of a run names its own package, whatever is newer', async () => {
    const lines: string[] = [];
    const terminal = { ...createTerminal(), line: (text = '') => lines.push(text) };
    await report(terminal, world.local, world.project, first, false);
    expect(lines.join('\n')).toMatch(new RegExp(`package +${world.packageArn(1)}\n`));
  }, 60_000);

  test('a run that is run again, from empty workspaces, makes nothing twice and changes nothing', async () => {
    const executions = async () =>
      (await world.admin().sagemaker.send(new ListPipelineExecutionsCommand({ PipelineName: world.group })))
        .PipelineExecutionSummaries!.length;
    const before = { executions: await executions(), versions: await world.versions() };
    const since = world.local.platform.calls.next;
    const again = await world.local.github.runs.rerun(third.id, 'all');
    expect((await approve(again)).conclusion).toBe('success');
    expect(again.attempt).toBe(2);
    expect({ executions: await executions(), versions: await world.versions() }).toEqual(before);
    const changes = world.local.platform.calls
      .list({ since, mutating: true })
      .filter(({ principal, operation }) => principal.includes('-ci-') && !/^sts:|InvokeEndpoint$/.test(operation));
    expect(changes.map(({ principal, operation }) => `${principal} ${operation}`)).toEqual([]);
  }, 120_000);

  test('who is asked about a new configuration sees what it changes', async () => {
    edit(world.project, 'model-deploy/stages/production.yml', (text) =>
      text.replace('instance-count: 2', 'instance-count: 3'),
    );
    const { 'redeploy.yml': run } = await world.begin('A third instance');
    await untilAsked(run!);
    const lines = await asked(run!);
    expect(lines[1]).toMatch(/package\s+version 3\s+version 3$/);
    expect(lines.filter((line) => line.includes('changes:'))).toEqual(['    changes: EndpointInstanceCount 2 -> 3']);
    world.local.github.decide(run!.id, 'production', 'rejected', 'not now', reviewer);
    await world.local.github.runs.wait(run!.id);
  }, 120_000);

  test('who is asked about a return to an earlier model sees that one beside the one that runs', async () => {
    const { id } = await world.local.github.dispatchWorkflow(
      world.project.repository,
      'model-rollback.yml',
      'main',
      {},
    );
    const run = world.local.github.runs.get(id)!;
    await untilAsked(run);
    expect((await asked(run)).slice(0, 3).map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ['this run', 'in production'],
      ['package', 'version 1', 'version 3'],
      ['regression_metrics.mse', expect.stringMatching(/^\d/), expect.stringMatching(/^\d/)],
    ]);
    world.local.github.decide(id, 'production', 'rejected', 'it stays', reviewer);
    await world.local.github.runs.wait(id);
  }, 120_000);
});

describe('strangers with the same workflow files', () => {
  const role = () => `arn:aws:iam::${world.project.adminAccount}:role/sagemaker-${world.group}-ci-deploy-production`;

  /** A caller that skips everything and asks for production at once. */
  function shortcut(): string {
    const { name, id, adminAccount } = world.project;
    return `name: Shortcut
on: [push, workflow_dispatch]
permissions: {}
jobs:
  production:
    permissions: { actions: read, contents: read, id-token: write }
    uses: sagemaker-mlops/sagemaker-mlops/.github/workflows/deploy-stage.yml@main
    with:
      project-name: ${name}
      project-id: ${id}
      aws-region: ${region}
      aws-account-id: "${adminAccount}"
      stage: production
      stage-file: model-deploy/stages/production.yml
      approval: none
      model-package-arn: ${world.packageArn(1)}
`;
  }

  /** What a run that was refused its role looks like, and that nothing was done in its name. */
  function expectNoRole(run: RunRecord, since: number): void {
    expect(run.problems).toEqual([]);
    expect(run.conclusion).toBe('failure');
    expect(errors(job(run, 'production / Deploy'))).toContain(role());
    expect(errors(job(run, 'production / Deploy'))).toMatch(/cannot be assumed/);
    // The endpoints that are in service go on writing their logs.
    const calls = world.operations(since, /./).filter(({ principal }) => !principal.includes('-model/'));
    expect(calls.map(({ operation }) => operation)).toContain('sts:AssumeRoleWithWebIdentity');
    expect(calls.filter(({ status }) => (status ?? 500) < 400)).toEqual([]);
  }

  test.each([
    ['a fork', 'mallory', 'abalone'],
    ['another repository of the same owner', 'acme', 'wine'],
  ])(
    '%s: no production role',
    async (_, owner, name) => {
      const { github } = world.local;
      const repository = await github.createRepository({ owner, name, defaultBranch: 'main' });
      const directory = join(world.state, `${owner}-${name}`);
      cpSync(join(world.project.directory, 'model-deploy'), join(directory, 'model-deploy'), { recursive: true });
      mkdirSync(join(directory, '.github/workflows'), { recursive: true });
      writeFileSync(join(directory, '.github/workflows/shortcut.yml'), shortcut());
      await initializeRepository(directory, repository.gitDirectory, 'main');
      const since = world.local.platform.calls.next;
      const { 'shortcut.yml': run } = await world.push('Straight to production', {
        ...world.project,
        repository: repository.fullName,
        directory,
      });
      expectNoRole(run!, since);
    },
    60_000,
  );

  test('another branch, even where nobody protects the environment: no production role; main gets it', async () => {
    const { github, platform } = world.local;
    const { directory, repository } = world.project;
    github.createEnvironment(repository, { name: 'production' });
    writeFileSync(join(directory, '.github/workflows/shortcut.yml'), shortcut());
    await git(directory, 'switch', '--quiet', '--create', 'feature');
    let since = platform.calls.next;
    const { 'shortcut.yml': branch } = await world.push('Straight to production');
    expectNoRole(branch!, since);
    await git(directory, 'switch', '--quiet', 'main');
    await git(directory, 'merge', '--quiet', '--ff-only', 'feature');
    await git(directory, 'push', '--quiet', 'origin', 'main');
    since = platform.calls.next;
    const [merged] = github.runs.list(repository).filter(({ ref, path }) => /main$/.test(ref) && /shortcut/.test(path));
    await github.runs.wait(merged!.id);
    // The very file and commit that were refused: older than what is in production, so there is nothing to deploy.
    expect(merged!.sha).toBe(branch!.sha);
    expect(merged!.conclusion).toBe('success');
  }, 60_000);
});
