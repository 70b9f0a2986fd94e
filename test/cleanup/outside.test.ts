/** After a cleanup with everything asked for, foreign eyes look for the project: nothing is left, and the other project is as it was. */
import { CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateModelCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { image } from '../deploy/support/fixture.ts';
import { accounts, region } from '../support/platform.ts';
import { type Approvals, remove, startApprovals } from './support/cleanup.ts';
import { childrenOf, type MapWatch, type Outside, sweepFromOutside, watchMaps } from './support/outside.ts';
import {
  answers,
  mine,
  other,
  type Projects,
  roleOf,
  type Seeded,
  seed,
  startProjects,
  tagsOf,
} from './support/projects.ts';

let projects: Projects;
let approvals: Approvals;
let own: Seeded;
let theirs: Seeded;
let before: Outside;
let heldBefore: string[];
let maps: MapWatch;
beforeAll(async () => {
  maps = watchMaps();
  approvals = await startApprovals();
  projects = await startProjects();
  own = await seed(projects, mine);
  theirs = await seed(projects, other);
  before = await sweepFromOutside(projects.world);
  heldBefore = await held();
}, 120_000);
afterAll(async () => {
  await projects?.close();
  await approvals?.close();
  maps?.stop();
});

/** Whatever names a project: its id is in every name and every tag, what its jobs leave carries the id of their execution. */
const about = (lines: readonly string[], { id }: { id: string }, { execution }: Seeded) =>
  lines.filter((line) => line.includes(id) || line.includes(execution.split('/').at(-1)!));
const operationsOf = (lines: readonly string[]) =>
  [...new Set(lines.map((line) => `${line.split(' ')[0]} ${line.split(' ')[3]}`))].sort();

/** What AWS remembers of the past as well, sessions that run out by themselves, and the addresses that the SDK of this test keeps. */
const history = [
  /"status":"DELETE_(COMPLETE|SKIPPED)"/,
  /^"[^"]*" \{"id":"[^"]+","action":"(CREATE|DELETE)"/,
  /^"ASIALOCAL/,
  /^"(true|false)\|;/,
];
const held = async () => (await maps.entriesWith(mine.id)).filter((entry) => !history.some((each) => each.test(entry)));

test('before: boto3 sees both projects in everything that a project has, at the front, at moto and in memory', () => {
  for (const [names, seeded] of [
    [mine, own],
    [other, theirs],
  ] as const)
    expect(operationsOf(about(before.lines, names, seeded))).toEqual([
      ...[
        ...['DescribeStacks', 'ListStackInstances', 'ListStackSets', 'ListStacks'].map(
          (name) => `front cloudformation:${name}`,
        ),
        'front iam:ListRoles',
        ...['ListAliases', 'ListResourceTags'].map((name) => `front kms:${name}`),
        ...['DescribeLogGroups', 'DescribeLogStreams'].map((name) => `front logs:${name}`),
        ...['ListBuckets', 'ListMultipartUploads', 'ListObjectVersions'].map((name) => `front s3:${name}`),
        ...[
          'GetModelPackageGroupPolicy',
          'ListEndpoints',
          'ListModelPackageGroups',
          'ListModelPackages',
          'ListPipelineExecutions',
          'ListPipelines',
          'ListProcessingJobs',
          'ListTags',
        ].map((name) => `front sagemaker:${name}`),
        'front ssm:DescribeParameters',
      ],
      ...['ListAliases', 'ListResourceTags'].map((name) => `moto kms:${name}`),
      ...['DescribeLogGroups', 'DescribeLogStreams'].map((name) => `moto logs:${name}`),
      ...['ListBuckets', 'ListMultipartUploads', 'ListObjectVersions'].map((name) => `moto s3:${name}`),
      'moto ssm:DescribeParameters',
    ]);
  expect(heldBefore.length).toBeGreaterThan(100);
});

test('after: only keys that wait for their deletion; the other project is untouched and answers; no process is left', async () => {
  const result = await remove(projects, approvals, {
    inputs: { 'delete-roles': 'true', 'delete-project': 'true', 'job-records': 'true' },
  });
  expect(result.failures).toEqual([]);
  const after = await sweepFromOutside(projects.world, before.asked);
  const left = about(after.lines, mine, own);
  const keys = [...new Set(left.map((line) => line.split(' ')[4]))];
  expect(keys).toHaveLength(4);
  expect(left.filter((line) => !/ kms:ListResourceTags [0-9a-f-]{36} \{/.test(line))).toEqual([]);
  for (const key of keys) {
    const states = after.lines.filter((line) => line.includes(`kms:DescribeKey ${key} `));
    expect(states.map((line) => `${line.split(' ')[0]} ${/"KeyState": "(\w+)"/.exec(line)?.[1]}`)).toEqual([
      'front PendingDeletion',
      'moto PendingDeletion',
    ]);
  }
  expect((await held()).map((entry) => entry.split('"')[1]).sort()).toEqual(keys.sort());

  expect(about(after.lines, other, theirs)).toEqual(about(before.lines, other, theirs));
  expect(await answers(projects, accounts.staging, `${other.base}-staging`)).toBe('6');
  expect(await answers(projects, accounts.production2, `${other.base}-production`)).toBe('6');
  expect(projects.servers.running).toBe(3);
  expect(childrenOf(process.pid)).toEqual([(await projects.world.control('GET', 'health')).moto]);
}, 60_000);

test('a single thing is seen wherever it hides: a model by its tag in another region, a log group by its name', async () => {
  const credentials = await projects.world.credentials(accounts.staging);
  const elsewhere = new SageMakerClient({ region: 'us-east-1', endpoint: projects.world.url, credentials });
  await elsewhere.send(
    new CreateModelCommand({
      ModelName: 'nameless',
      ExecutionRoleArn: roleOf(other, accounts.staging, 'model'),
      Containers: [{ Image: image }],
      Tags: tagsOf(mine),
    }),
  );
  elsewhere.destroy();
  const logGroupName = `/aws/sagemaker/Endpoints/${mine.base}-staging`;
  await projects.world.administrator(accounts.production1).logs.send(new CreateLogGroupCommand({ logGroupName }));
  const only = ['sagemaker:ListModels', 'logs:DescribeLogGroups'];
  const { lines } = await sweepFromOutside(projects.world, only);
  const seen = about(lines, mine, own).filter((line) => !line.includes(' kms:'));
  expect(seen.map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
    `front ${accounts.staging} us-east-1 sagemaker:ListTags`,
    `front ${accounts.production1} ${region} logs:DescribeLogGroups`,
    `moto ${accounts.production1} ${region} logs:DescribeLogGroups`,
  ]);
  expect((await held()).filter((entry) => entry.includes('model/nameless'))).toHaveLength(1);
}, 60_000);
