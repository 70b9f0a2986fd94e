/** Data capture: what an endpoint that is invoked leaves in the bucket, and what a schedule then finds there. */
import {
  CreateEndpointConfigCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, type InvokeEndpointCommandInput } from '@aws-sdk/client-sagemaker-runtime';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { capture, captured, config, endpointName, hourly, monitoringClient } from './support/monitoring.ts';
import { pause } from './support/pipelines.ts';
import { admin, bucket, createWorld, type World } from './support/world.ts';

const hour = 3_600_000;
let world: World;
let client: ReturnType<typeof monitoringClient>;

beforeEach(async () => {
  world = await createWorld({ clock: { mode: 'by-hand' } });
  client = monitoringClient(world);
  await client.createRoles();
});
afterEach(() => world.close());

const invoke = (Body: string, more: Partial<InvokeEndpointCommandInput> = {}) =>
  world.runtime(world.signIn(admin)).send(
    new InvokeEndpointCommand({
      EndpointName: endpointName,
      Body,
      ContentType: 'text/csv',
      Accept: 'text/csv',
      ...more,
    }),
  );
const prefix = () =>
  `capture/${endpointName}/AllTraffic/${world.clock.now().toISOString().slice(0, 13).replace(/[-T]/g, '/')}/`;
/** The captured records, when there are as many. */
async function records(count: number): Promise<any[]> {
  for (let look = 0; look < 500; look++) {
    const keys = world.s3.keys(bucket, prefix());
    if (keys.length >= count) return keys.map((key) => JSON.parse(world.s3.get(`s3://${bucket}/${key}`) ?? ''));
    await pause();
  }
  throw new Error(`only ${world.s3.keys(bucket).join()}`);
}

it('writes question and answer of an invocation as AWS does, below endpoint, variant and hour', async () => {
  await client.createEndpoint();
  const answer = Buffer.from((await invoke('1,2', { InferenceId: 'row-7' })).Body ?? []).toString();
  const [record] = await records(1);
  expect(record).toEqual({
    captureData: {
      endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data: '1,2', encoding: 'CSV' },
      endpointOutput: { observedContentType: 'text/csv', mode: 'OUTPUT', data: answer, encoding: 'CSV' },
    },
    eventMetadata: {
      eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      inferenceId: 'row-7',
      inferenceTime: world.clock.now().toISOString().replace(/\.\d+/, ''),
    },
    eventVersion: '0',
  });
  expect(world.s3.keys(bucket, prefix())[0]).toMatch(/\/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl$/);
  // What is not listed as text is Base64.
  await invoke('{"a":1}', { ContentType: 'application/json; charset=utf-8' });
  await invoke('bytes', { ContentType: 'application/x-own' });
  const inputs = (await records(3)).map(({ captureData }) => captureData.endpointInput);
  expect(inputs.find(({ encoding }) => encoding === 'JSON')).toMatchObject({ data: '{"a":1}' });
  expect(inputs.find(({ encoding }) => encoding === 'BASE64')).toMatchObject({
    observedContentType: 'application/x-own',
    data: Buffer.from('bytes').toString('base64'),
  });
});

it('writes only what was asked for, with the key that was asked for, and nothing of a failed invocation', async () => {
  const key = `arn:aws:kms:eu-west-1:${admin}:key/0`;
  await client.createEndpoint(
    capture({ CaptureOptions: [{ CaptureMode: 'Output' }], KmsKeyId: key, CaptureContentTypeHeader: undefined }),
  );
  await expect(invoke('bad')).rejects.toMatchObject({ name: 'ModelError' });
  await invoke('1');
  const [record, ...more] = await records(1);
  expect(more).toEqual([]);
  expect(Object.keys(record.captureData)).toEqual(['endpointOutput']);
  expect(record.captureData.endpointOutput.encoding).toBe('BASE64');
  const [written = ''] = world.s3.keys(bucket, prefix());
  expect(world.s3.headers(`s3://${bucket}/${written}`)).toMatchObject({
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': key,
  });
});

it('captures nothing at 0 per cent, and nothing when it is switched off', async () => {
  await client.createEndpoint(capture({ InitialSamplingPercentage: 0 }));
  for (let count = 0; count < 5; count++) await invoke('1');
  await pause();
  expect(world.s3.keys(bucket, 'capture')).toEqual([]);
  const described = await client.sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpointName }));
  expect(described.DataCaptureConfig).toMatchObject({ EnableCapture: true, CurrentSamplingPercentage: 0 });
});

it('is shown by endpoint and configuration, and follows an update', async () => {
  await client.createEndpoint();
  await client.created('s', config(hourly));
  const described = await client.sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpointName }));
  expect(described.DataCaptureConfig).toEqual({
    EnableCapture: true,
    CaptureStatus: 'Started',
    CurrentSamplingPercentage: 100,
    DestinationS3Uri: captured,
    KmsKeyId: '',
  });
  const before = await client.sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: endpointName }));
  expect(before.DataCaptureConfig).toEqual(capture());
  await client.sagemaker.send(
    new CreateEndpointConfigCommand({
      EndpointConfigName: 'without',
      ProductionVariants: before.ProductionVariants,
      DataCaptureConfig: capture({ EnableCapture: false }),
    }),
  );
  await client.sagemaker.send(new UpdateEndpointCommand({ EndpointName: endpointName, EndpointConfigName: 'without' }));
  for (;;) {
    const { EndpointStatus, DataCaptureConfig } = await client.sagemaker.send(
      new DescribeEndpointCommand({ EndpointName: endpointName }),
    );
    if (EndpointStatus === 'InService') {
      expect(DataCaptureConfig).toMatchObject({ EnableCapture: false, CaptureStatus: 'Stopped' });
      break;
    }
    await pause();
  }
  await invoke('1');
  await pause();
  expect(world.s3.keys(bucket, 'capture')).toEqual([]);
  // A schedule from before has nothing to look at any more, and says so.
  await world.clock.advance(hour);
  expect((await client.reached('s', 'Failed')).FailureReason).toBe(
    `Endpoint '${endpointName}' does not exist or is not valid: its configuration without captures no data; deploy one with DataCaptureConfig`,
  );
});

it('that the model’s role may not write is lost, told in the platform’s log, and the answer still comes', async () => {
  await client.createEndpoint(capture({ DestinationS3Uri: `s3://${bucket}/elsewhere` }));
  await invoke('1');
  for (let look = 0; look < 500 && world.warnings.length === 0; look++) await pause();
  expect(world.warnings.join('\n')).toMatch(
    /captured data could not be written to s3:\/\/artifacts\/elsewhere.*s3:PutObject/,
  );
});

it('needs a bucket', async () => {
  await expect(client.createEndpoint(capture({ DestinationS3Uri: 'https://artifacts/x' }))).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining('DestinationS3Uri https://artifacts/x is not valid'),
  });
});

it('is what a schedule of the endpoint then looks at', async () => {
  await client.createEndpoint();
  await client.created('s', config(hourly));
  await invoke('1,2');
  await records(1);
  const seen: string[] = [];
  world.jobs.when('model-monitoring', (job) => {
    for (const { S3Input } of job.request['ProcessingInputs']) seen.push(S3Input.S3Uri);
    return { status: 'Completed', exitMessage: 'CompletedWithViolations: 1 violation' };
  });
  const from = `s3://${bucket}/${prefix()}`;
  await world.clock.advance(hour);
  await client.reached('s', 'CompletedWithViolations');
  expect(seen).toEqual([from]);
});
