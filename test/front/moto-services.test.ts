/** SSM, CloudWatch Logs and ECR: kept by moto, permitted by the front on the resources that AWS checks. */
import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CreateRepositoryCommand, DescribeRepositoriesCommand } from '@aws-sdk/client-ecr';
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetParameterCommand, GetParametersByPathCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { accounts, region, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { outcome, roleClients } from './support.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ python: true });
});
afterAll(() => platform.close());

const allow = (Action: string | string[], Resource: string | string[]) => ({ Effect: 'Allow', Action, Resource });
const logs = (rest: string) => `arn:aws:logs:${region}:${accounts.development}:log-group:${rest}`;

test('log events come back in order; a missing stream is told by type; the last token repeats', async () => {
  const { logs: client } = platform.administrator(accounts.development);
  const place = { logGroupName: '/aws/sagemaker/TrainingJobs', logStreamName: 'job/algo-1' };
  const read = (nextToken?: string) =>
    client.send(new GetLogEventsCommand({ ...place, startFromHead: true, ...(nextToken && { nextToken }) }));
  expect(await outcome(read())).toBe('ResourceNotFoundException');
  await client.send(new CreateLogGroupCommand({ logGroupName: place.logGroupName }));
  await client.send(new CreateLogStreamCommand(place));
  const start = Date.now();
  const logEvents = ['one', 'two'].map((message, index) => ({ message, timestamp: start + index }));
  await client.send(new PutLogEventsCommand({ ...place, logEvents }));
  const first = await read();
  expect(first.events?.map(({ message }) => message)).toEqual(['one', 'two']);
  const second = await read(first.nextForwardToken);
  expect(second.events).toEqual([]);
  expect(second.nextForwardToken).toBe(first.nextForwardToken);
});

test('a policy on log groups needs the trailing `:*`, and the right group', async () => {
  const group = '/aws/sagemaker/ProcessingJobs';
  const place = { logGroupName: group, logStreamName: 'a' };
  const actions = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];
  const bare = await roleClients(platform, accounts.development, 'logs-bare', allow(actions, logs(group)));
  const whole = await roleClients(platform, accounts.development, 'logs-whole', allow(actions, logs(`${group}:*`)));
  const create = (clients: typeof bare) =>
    outcome(clients.logs.send(new CreateLogGroupCommand({ logGroupName: group })));
  expect(await create(bare)).toBe('AccessDeniedException');
  expect(await create(whole)).toBe('allow');
  expect(await outcome(whole.logs.send(new CreateLogStreamCommand(place)))).toBe('allow');
  const other = { ...place, logGroupName: '/aws/other' };
  expect(await outcome(whole.logs.send(new CreateLogStreamCommand(other)))).toBe('AccessDeniedException');
  expect(await outcome(whole.logs.send(new CreateLogGroupCommand({ logGroupName: 'bad name' })))).toBe(
    'InvalidParameterException',
  );
});

test('parameters are granted by name and by path', async () => {
  const arn = (name: string) => `arn:aws:ssm:${region}:${accounts.development}:parameter/${name}`;
  const { ssm } = platform.administrator(accounts.development);
  for (const Name of ['/env/vpc', '/env/key', '/other/key']) {
    await ssm.send(new PutParameterCommand({ Name, Value: Name, Type: 'String' }));
  }
  const reader = await roleClients(
    platform,
    accounts.development,
    'parameter-reader',
    allow(['ssm:GetParameter', 'ssm:GetParametersByPath'], [arn('env'), arn('env/*')]),
  );
  const get = (Name: string) => outcome(reader.ssm.send(new GetParameterCommand({ Name })));
  expect(await get('/env/vpc')).toBe('allow');
  expect(await get('/env/vpc:1')).toBe('allow');
  expect(await get('/other/key')).toBe('AccessDeniedException');
  expect(await get('/env/none')).toBe('ParameterNotFound');
  const path = await reader.ssm.send(new GetParametersByPathCommand({ Path: '/env' }));
  expect(path.Parameters?.map(({ Name }) => Name).sort()).toEqual(['/env/key', '/env/vpc']);
  expect(await outcome(reader.ssm.send(new GetParametersByPathCommand({ Path: '/other' })))).toBe(
    'AccessDeniedException',
  );
  const secret = new PutParameterCommand({ Name: '/env/secret', Value: 'x', Type: 'SecureString' });
  expect(await outcome(ssm.send(secret))).toBe('NotImplemented');
});

test('accounts are kept apart', async () => {
  const [here, there] = [platform.administrator(accounts.development), platform.administrator(accounts.staging)];
  await here.ecr.send(new CreateRepositoryCommand({ repositoryName: 'image' }));
  expect((await here.ecr.send(new DescribeRepositoriesCommand({}))).repositories?.[0]?.repositoryArn).toBe(
    `arn:aws:ecr:${region}:${accounts.development}:repository/image`,
  );
  expect((await there.ecr.send(new DescribeRepositoriesCommand({}))).repositories).toEqual([]);
});

test('time is the platform clock, so that log events of its future are not dropped as too new', async () => {
  await platform.control('POST', 'clock', { mode: 'by-hand' });
  await platform.control('POST', 'clock/advance', { milliseconds: 10 * 3_600_000 });
  const { clock } = platform.platform.context;
  const { logs: client, s3 } = platform.administrator(accounts.development);
  const place = { logGroupName: 'later', logStreamName: 'a' };
  await client.send(new CreateLogGroupCommand({ logGroupName: place.logGroupName }));
  await client.send(new CreateLogStreamCommand(place));
  const timestamp = clock.now().getTime();
  await client.send(new PutLogEventsCommand({ ...place, logEvents: [{ message: 'late', timestamp }] }));
  const { events } = await client.send(new GetLogEventsCommand({ ...place, startFromHead: true }));
  expect(events).toMatchObject([{ message: 'late', timestamp }]);
  await s3.send(
    new CreateBucketCommand({ Bucket: 'later', CreateBucketConfiguration: { LocationConstraint: region } }),
  );
  await s3.send(new PutObjectCommand({ Bucket: 'later', Key: 'a', Body: 'x' }));
  const { LastModified } = await s3.send(new HeadObjectCommand({ Bucket: 'later', Key: 'a' }));
  expect(Math.abs(LastModified!.getTime() - timestamp)).toBeLessThan(60_000);
});
