/** SIGKILL right after an API call, then the same run id again: one execution, one package, an equal pipeline. */
import type { ChildProcess } from 'node:child_process';
import {
  ListModelPackagesCommand,
  ListPipelineExecutionsCommand,
  ListPipelineVersionsCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accounts, region } from '../support/platform.ts';
import { type ActionRun, quick, runAction } from './support/action.ts';
import { base, commit, project, startWorld, type World } from './support/world.ts';

/** Calls of a first run are about 30; a sample of them always, all of them with TEST_FULL. */
const full = process.env['TEST_FULL'] !== undefined;
const sampled = full ? Array.from({ length: 30 }, (_, index) => index + 1) : [4, 8, 11, 13, 16];

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world?.close();
});

const build = (run: ActionRun) =>
  runAction('run-pipeline', world, {
    environment: 'build',
    ...quick,
    ...run,
    inputs: {
      'aws-region': region,
      'project-name': project.name,
      'project-id': project.id,
      'role-to-assume': world.role('ci-build'),
      ...run.inputs,
    },
  });

/** Kills the child as soon as the action's n-th call since `since` was answered. */
function killAfter(calls: number, since: number) {
  return (child: ChildProcess) => {
    const watch = setInterval(() => {
      const own = world
        .calls({ since })
        .filter(
          ({ principal, operation, status }) =>
            status !== null && (principal.includes('-ci-build/') || operation === 'sts:AssumeRoleWithWebIdentity'),
        );
      if (own.length >= calls) {
        child.kill('SIGKILL');
        clearInterval(watch);
      }
    }, 1);
    child.on('close', () => clearInterval(watch));
  };
}

describe('killed after a call', () => {
  test.each(sampled)('number %i', async (call) => {
    const client = world.administrator(accounts.development).sagemaker;
    const runId = String(88_000 + call);
    // Another parameter per case: each has an execution of its own that no cache shortens.
    const inputs = { parameters: `NumRound: ${10 + call}`, 'pipeline-name': base };
    const since = world.calls().at(-1)?.seq ?? 0;
    const packages = async () =>
      (await client.send(new ListModelPackagesCommand({ ModelPackageGroupName: base, MaxResults: 100 })))
        .ModelPackageSummaryList!.length;
    const before = await packages();
    const killed = await build({ runId, inputs, onStart: killAfter(call, since) });
    const again = await build({ runId, inputs, attempt: 2 });
    expect(again.stdout + again.stderr).not.toContain('::error');
    expect(again.code).toBe(0);
    const { PipelineExecutionSummaries = [] } = await client.send(
      new ListPipelineExecutionsCommand({ PipelineName: base, MaxResults: 100 }),
    );
    const own = PipelineExecutionSummaries.filter(({ PipelineExecutionDisplayName }) =>
      PipelineExecutionDisplayName?.startsWith(`gha-${runId}-`),
    );
    expect(own.map(({ PipelineExecutionArn }) => PipelineExecutionArn)).toEqual([again.outputs['execution-arn']]);
    expect(await packages()).toBe(before + 1);
    const { PipelineVersionSummaries = [] } = await client.send(
      new ListPipelineVersionsCommand({ PipelineName: base }),
    );
    expect(PipelineVersionSummaries.map(({ PipelineVersionDisplayName }) => PipelineVersionDisplayName)).toEqual([
      commit,
    ]);
    // A case whose run had ended before the kill tests nothing; the sample must stay below that.
    if (!full) expect(killed.signal).toBe('SIGKILL');
  });
});
