/** No role can be taken by a pull request: every role that trusts GitHub, tried with what a pull request's job can bring. */
import { ListRolesCommand } from '@aws-sdk/client-iam';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { productRepository, startWorld, type World } from '../actions/support/world.ts';
import { accounts, region } from '../support/platform.ts';

interface Trusting {
  arn: string;
  environment: string;
  /** The reusable workflow that the role trusts, at some ref. */
  workflow: string;
}

let world: World;
const trusting: Trusting[] = [];

beforeAll(async () => {
  world = await startWorld();
  for (const account of Object.values(accounts)) {
    const { Roles = [] } = await world.administrator(account).iam.send(new ListRolesCommand({ MaxItems: 1000 }));
    for (const { Arn, AssumeRolePolicyDocument } of Roles) {
      const document = JSON.parse(decodeURIComponent(AssumeRolePolicyDocument ?? '{}'));
      for (const statement of [document.Statement ?? []].flat()) {
        if (![statement.Action].flat().includes('sts:AssumeRoleWithWebIdentity')) continue;
        const claim = (operator: string, name: string) =>
          [statement.Condition[operator][`token.actions.githubusercontent.com:${name}`]].flat()[0] as string;
        trusting.push({
          arn: Arn!,
          environment: claim('StringEquals', 'environment'),
          workflow: claim('StringLike', 'job_workflow_ref').replace('*', 'refs/heads/main'),
        });
      }
    }
  }
}, 120_000);
afterAll(() => world?.close());

async function assume({ arn }: Trusting, environment: string, claims: Partial<World['claims']>): Promise<string> {
  const before = { ...world.claims };
  Object.assign(world.claims, claims);
  try {
    const query = `environment=${environment}&audience=sts.amazonaws.com`;
    const response = await fetch(`${world.url}/_github/oidc/token?${query}`, {
      headers: { authorization: 'Bearer runner' },
    });
    const { value } = (await response.json()) as { value: string };
    await new STSClient({ region, endpoint: world.url }).send(
      new AssumeRoleWithWebIdentityCommand({ RoleArn: arn, RoleSessionName: 'test', WebIdentityToken: value }),
    );
    return 'assumed';
  } catch (error) {
    return (error as Error).name;
  } finally {
    Object.assign(world.claims, before);
  }
}

const pull = { eventName: 'pull_request', ref: 'refs/pull/7/merge', headRef: 'change', baseRef: 'main' };

test('all roles of jobs are among them, and each is open to its own job', async () => {
  const names = trusting.map(({ arn }) => /-(ci-.+)$/.exec(arn)?.[1]).sort();
  for (const name of ['ci-build', 'ci-gate', 'ci-record', 'ci-deploy-staging', 'ci-deploy-production', 'ci-cleanup'])
    expect(names).toContain(name);
  for (const role of trusting)
    expect(await assume(role, role.environment, { jobWorkflowRef: role.workflow })).toBe('assumed');
});

test.each<[string, (role: Trusting) => [environment: string, claims: Partial<World['claims']>]]>([
  [
    'the check itself',
    () => ['', { jobWorkflowRef: `${productRepository}/.github/workflows/pull-request.yml@refs/heads/main` }],
  ],
  ['a job of the workflow that the role trusts', ({ workflow }) => ['', { jobWorkflowRef: workflow }]],
  [
    "such a job in the role's environment, which nobody protected",
    ({ workflow, environment }) => [environment, { jobWorkflowRef: workflow }],
  ],
  [
    'and one that runs on the branch of the pull request',
    ({ workflow, environment }) => [
      environment,
      { jobWorkflowRef: workflow, eventName: 'push', ref: 'refs/heads/change' },
    ],
  ],
])('closed to a pull request: %s', async (_, job) => {
  expect(trusting.length).toBeGreaterThan(5);
  for (const role of trusting) {
    const [environment, claims] = job(role);
    expect([role.arn, await assume(role, environment, { ...pull, ...claims })]).toEqual([role.arn, 'AccessDenied']);
  }
});
