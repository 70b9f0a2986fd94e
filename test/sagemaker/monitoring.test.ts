/** Monitoring schedules behind the real front, IAM and clock; the jobs are the test's. */
import {
  AddTagsCommand,
  CreateDataQualityJobDefinitionCommand,
  type CreateDataQualityJobDefinitionRequest,
  CreateModelBiasJobDefinitionCommand,
  DeleteDataQualityJobDefinitionCommand,
  DeleteEndpointCommand,
  DeleteMonitoringScheduleCommand,
  DescribeDataQualityJobDefinitionCommand,
  DescribeProcessingJobCommand,
  ListDataQualityJobDefinitionsCommand,
  ListMonitoringAlertsCommand,
  ListMonitoringExecutionsCommand,
  ListMonitoringSchedulesCommand,
  type ListMonitoringSchedulesRequest,
  ListProcessingJobsCommand,
  ListTagsCommand,
  type MonitoringExecutionSummary,
  type MonitoringScheduleConfig,
  StartMonitoringScheduleCommand,
  StopMonitoringScheduleCommand,
  StopProcessingJobCommand,
  UpdateMonitoringScheduleCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, it, test } from '@jest/globals';
import { nextRun, parseExpression, previousRun } from '../../local/aws/services/sagemaker/monitoring/expression.ts';
import {
  capture,
  config,
  definition,
  endpointName,
  hourly,
  monitoringClient,
  monitorRole,
  putCaptured,
} from './support/monitoring.ts';
import { pause } from './support/pipelines.ts';
import { admin, bucket, createWorld, image, region, target, type World } from './support/world.ts';

const hour = 3_600_000;
let world: World;
let client: ReturnType<typeof monitoringClient>;

async function open(mode: 'at-once' | 'by-hand' = 'by-hand') {
  world = await createWorld({ clock: { mode } });
  client = monitoringClient(world);
  await client.createRoles();
  await client.createEndpoint();
}
beforeEach(() => open());
afterEach(() => world.close());

/** The full hour that the clock is in. */
const thisHour = () => new Date(Math.floor(world.clock.now().getTime() / hour) * hour);
const arn = (name: string) => `arn:aws:sagemaker:${region}:${admin}:monitoring-schedule/${name}`;
const remove = (MonitoringScheduleName: string) =>
  client.sagemaker.send(new DeleteMonitoringScheduleCommand({ MonitoringScheduleName }));
const stop = (MonitoringScheduleName: string) =>
  client.sagemaker.send(new StopMonitoringScheduleCommand({ MonitoringScheduleName }));
const start = (MonitoringScheduleName: string) =>
  client.sagemaker.send(new StartMonitoringScheduleCommand({ MonitoringScheduleName }));
const update = (MonitoringScheduleName: string, MonitoringScheduleConfig: MonitoringScheduleConfig) =>
  client.sagemaker.send(new UpdateMonitoringScheduleCommand({ MonitoringScheduleName, MonitoringScheduleConfig }));
async function gone(name: string): Promise<void> {
  for (;;) {
    const answer = await client.describe(name).catch((error: Error) => error);
    if (answer instanceof Error) {
      expect(answer.name).toBe('ResourceNotFound');
      return;
    }
    await pause();
  }
}

describe('schedule expressions', () => {
  const moments = (text: string, from: string, count: number) => {
    const timing = parseExpression(text);
    if (timing.kind === 'now') return [];
    const found: string[] = [];
    let at = new Date(from);
    for (let run = 0; run < count; run++) {
      at = nextRun(timing.hours, at);
      found.push(at.toISOString().slice(5, 16));
    }
    return found;
  };
  test.each<[string, string[]]>([
    ['cron(0 * ? * * *)', ['03-31T23:00', '04-01T00:00', '04-01T01:00']],
    ['cron(0 12 ? * * *)', ['04-01T12:00', '04-02T12:00', '04-03T12:00']],
    ['cron(0 00 ? * * *)', ['04-01T00:00', '04-02T00:00', '04-03T00:00']],
    ['cron(0 17/12 ? * * *)', ['04-01T05:00', '04-01T17:00', '04-02T05:00']],
    ['cron(0 0/2 ? * * *)', ['04-01T00:00', '04-01T02:00', '04-01T04:00']],
    ['cron(0 20/24 ? * * *)', ['04-01T20:00', '04-02T20:00', '04-03T20:00']],
    ['cron(0 22/10 ? * * *)', ['04-01T08:00', '04-01T18:00', '04-01T22:00']],
  ])('%s', (text, expected) => {
    expect(moments(text, '2026-03-31T22:00:00Z', 3)).toEqual(expected);
  });

  test('the time before a run goes back to the run before it', () => {
    const at = new Date('2026-03-01T00:00:00Z');
    expect(previousRun([0, 12], at)).toEqual(new Date('2026-02-28T12:00:00Z'));
    expect(previousRun([0], at)).toEqual(new Date('2026-02-28T00:00:00Z'));
  });

  test.each([
    'cron(0 24 ? * * *)',
    'cron(0 1/25 ? * * *)',
    'cron(0 1/0 ? * * *)',
    'cron(30 * ? * * *)',
    'cron(0 * * * ? *)',
    'cron(0 */2 ? * * *)',
    'cron(0 8-17 ? * * *)',
    'Hourly: cron(0 * ? * * *)',
    'rate(1 hour)',
    'now',
  ])('%s is none that SageMaker takes', async (text) => {
    await expect(client.create('s', config(text))).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(`ScheduleExpression ${text} is not valid`),
    });
  });
});

describe('a schedule', () => {
  it('is Pending until SageMaker has made it, then Scheduled; it is described as it was asked for', async () => {
    world.durations.set('sagemaker:CreateMonitoringSchedule', 60);
    const scheduleArn = await client.create('Hourly', config(hourly), { Tags: [{ Key: 'a', Value: 'b' }] });
    expect(scheduleArn).toBe(arn('Hourly'));
    expect((await client.describe('Hourly')).MonitoringScheduleStatus).toBe('Pending');
    for (const change of [() => remove('Hourly'), () => update('Hourly', config(hourly))]) {
      await expect(change()).rejects.toMatchObject({
        name: 'ValidationException',
        message: expect.stringMatching(/^Monitoring schedule in status Pending cannot be (deleted|updated)/),
      });
    }
    await expect(stop('Hourly')).rejects.toThrow('is Pending');
    while (world.clock.pending === 0) await pause();
    await world.clock.advance(60_000);
    expect(await client.describe('hourly')).toMatchObject({
      MonitoringScheduleArn: scheduleArn,
      MonitoringScheduleName: 'Hourly',
      MonitoringScheduleStatus: 'Scheduled',
      EndpointName: endpointName,
      MonitoringScheduleConfig: config(hourly),
      CreationTime: expect.any(Date),
      LastModifiedTime: expect.any(Date),
    });
    expect((await client.sagemaker.send(new ListTagsCommand({ ResourceArn: scheduleArn }))).Tags).toEqual([
      { Key: 'a', Value: 'b' },
    ]);
    await expect(client.create('hourly')).rejects.toMatchObject({ name: 'ResourceInUse' });
  });

  it('that SageMaker cannot make is Failed with the reason, and can be deleted', async () => {
    world.faults.add({
      operation: 'sagemaker:CreateMonitoringSchedule',
      effect: { kind: 'resource-failure', reason: 'InternalServerError: no capacity' },
    });
    await client.create('s');
    expect(await client.settled('s')).toMatchObject({
      MonitoringScheduleStatus: 'Failed',
      FailureReason: 'InternalServerError: no capacity',
    });
    await remove('s');
    await gone('s');
  });

  it('is stopped, started and updated through Pending; stopped it stays stopped when it is updated', async () => {
    await client.created('s');
    await expect(start('s')).rejects.toThrow('Only a Stopped monitoring schedule can be started');
    world.durations.set('sagemaker:StopMonitoringSchedule', 5);
    await stop('s');
    expect((await client.describe('s')).MonitoringScheduleStatus).toBe('Pending');
    await world.clock.advance(5_000);
    expect((await client.describe('s')).MonitoringScheduleStatus).toBe('Stopped');
    await expect(stop('s')).rejects.toThrow('Only a Scheduled monitoring schedule can be stopped');
    await world.clock.advance(2 * hour);
    expect(await client.executions('s')).toEqual([]);
    // Sessions of the test last for twelve hours.
    const soon = (world.clock.now().getUTCHours() + 3) % 24;
    const daily = `cron(0 ${soon} ? * * *)`;
    await update('s', config(daily));
    expect(await client.settled('s')).toMatchObject({
      MonitoringScheduleStatus: 'Stopped',
      MonitoringScheduleConfig: { ScheduleConfig: { ScheduleExpression: daily } },
    });
    await start('s');
    expect((await client.settled('s')).MonitoringScheduleStatus).toBe('Scheduled');
    await world.clock.advance(8 * hour);
    const [only, ...more] = await client.executions('s');
    expect(only?.ScheduledTime?.getUTCHours()).toBe(soon);
    expect(more).toEqual([]);
  });

  it('goes with its deletion, its executions stay in the list, and its name is free again', async () => {
    await client.created('s');
    await world.clock.advance(hour);
    await client.reached('s', 'Failed');
    world.durations.set('sagemaker:DeleteMonitoringSchedule', 30);
    await remove('s');
    expect((await client.describe('s')).MonitoringScheduleStatus).toBe('Pending');
    await world.clock.advance(30_000);
    await gone('s');
    await expect(remove('s')).rejects.toMatchObject({ name: 'ResourceNotFound' });
    await expect(client.sagemaker.send(new ListTagsCommand({ ResourceArn: arn('s') }))).rejects.toThrow();
    await world.clock.advance(2 * hour);
    expect(await client.executions('s')).toHaveLength(1);
    await client.created('s');
    expect((await client.describe('s')).LastMonitoringExecutionSummary).toBeUndefined();
  });

  it.each<[string, MonitoringScheduleConfig, string, RegExp]>([
    [
      'neither a definition nor its name',
      { ScheduleConfig: { ScheduleExpression: hourly } },
      'ValidationException',
      /exactly one of MonitoringJobDefinition and/,
    ],
    [
      'both',
      config(hourly, { MonitoringJobDefinitionName: 'd', MonitoringType: 'DataQuality' }),
      'ValidationException',
      /exactly one of MonitoringJobDefinition and/,
    ],
    [
      'a definition by name without its kind',
      config(hourly, { MonitoringJobDefinition: undefined, MonitoringJobDefinitionName: 'd' }),
      'ValidationException',
      /MonitoringType is missing/,
    ],
    [
      'a definition that is not there',
      config(hourly, {
        MonitoringJobDefinition: undefined,
        MonitoringJobDefinitionName: 'd',
        MonitoringType: 'DataQuality',
      }),
      'ResourceNotFound',
      /definition d does not exist/,
    ],
    [
      'a kind that is not supported',
      config(hourly, { MonitoringType: 'ModelBias' }),
      'NotImplemented',
      /MonitoringType ModelBias/,
    ],
    [
      'an endpoint that is not there',
      config(hourly, {
        MonitoringJobDefinition: definition({
          MonitoringInputs: [{ EndpointInput: { EndpointName: 'none', LocalPath: '/opt/ml/processing/x' } }],
        }),
      }),
      'ValidationException',
      /^Endpoint 'none' does not exist or is not valid$/,
    ],
    [
      'no input',
      config(hourly, { MonitoringJobDefinition: definition({ MonitoringInputs: [{}] }) }),
      'ValidationException',
      /exactly one of EndpointInput/,
    ],
    [
      'batch transform',
      config(hourly, {
        MonitoringJobDefinition: definition({
          MonitoringInputs: [
            {
              BatchTransformInput: {
                DataCapturedDestinationS3Uri: 's3://b/p',
                DatasetFormat: { Csv: {} },
                LocalPath: '/opt/ml/processing/x',
              },
            },
          ],
        }),
      }),
      'NotImplemented',
      /BatchTransformInput/,
    ],
    [
      'scripts of the analyzer',
      config(hourly, {
        MonitoringJobDefinition: definition({
          MonitoringAppSpecification: { ImageUri: image, RecordPreprocessorSourceUri: 's3://b/p.py' },
        }),
      }),
      'NotImplemented',
      /RecordPreprocessorSourceUri/,
    ],
    [
      'an offset that is none',
      config(hourly, {
        MonitoringJobDefinition: definition({
          MonitoringInputs: [
            {
              EndpointInput: { EndpointName: endpointName, LocalPath: '/opt/ml/processing/x', StartTimeOffset: '-Px' },
            },
          ],
        }),
      }),
      'ValidationException',
      /StartTimeOffset -Px/,
    ],
    [
      'an output outside S3',
      config(hourly, {
        MonitoringJobDefinition: definition({
          MonitoringOutputConfig: {
            MonitoringOutputs: [{ S3Output: { S3Uri: 'https://b/p', LocalPath: '/opt/ml/processing/x' } }],
          },
        }),
      }),
      'ValidationException',
      /S3Uri https/,
    ],
    [
      'a role that SageMaker cannot take',
      config(hourly, { MonitoringJobDefinition: definition({ RoleArn: `arn:aws:iam::${admin}:role/none` }) }),
      'ValidationException',
      /Could not assume role .*role\/none/,
    ],
    [
      'a run longer than its period',
      config(hourly, { MonitoringJobDefinition: definition({ StoppingCondition: { MaxRuntimeInSeconds: 3601 } }) }),
      'ValidationException',
      /must not exceed the frequency of the schedule, 3600/,
    ],
    ['NOW without a window', config('NOW'), 'ValidationException', /NOW needs DataAnalysisStartTime/],
    [
      'a window of two days',
      config('NOW', {
        ScheduleConfig: { ScheduleExpression: 'NOW', DataAnalysisStartTime: '-PT48H', DataAnalysisEndTime: '-PT1H' },
      }),
      'ValidationException',
      /by at most 24 hours/,
    ],
    [
      'half a window',
      config(hourly, { ScheduleConfig: { ScheduleExpression: hourly, DataAnalysisStartTime: '-PT1H' } }),
      'ValidationException',
      /go together/,
    ],
    [
      'two inputs',
      config(hourly, { MonitoringJobDefinition: definition({ MonitoringInputs: [{}, {}] }) }),
      'ValidationException',
      /length less than or equal to 1/,
    ],
  ])('is refused with %s', async (_name, wrong, code, message) => {
    await expect(client.create('s', wrong)).rejects.toMatchObject({
      name: code,
      message: expect.stringMatching(message),
    });
    await expect(client.describe('s')).rejects.toMatchObject({ name: 'ResourceNotFound' });
  });

  it('is refused on an endpoint that captures no data', async () => {
    for (const [name, dataCapture] of [
      ['never', null],
      ['off', capture({ EnableCapture: false })],
    ] as const) {
      await client.createEndpoint(dataCapture, name);
      const input = { EndpointInput: { EndpointName: name, LocalPath: '/opt/ml/processing/x' } };
      await expect(
        client.create('s', config(hourly, { MonitoringJobDefinition: definition({ MonitoringInputs: [input] }) })),
      ).rejects.toMatchObject({
        name: 'ValidationException',
        message: expect.stringMatching(
          new RegExp(`^Endpoint '${name}' does not exist or is not valid: .*captures no data`),
        ),
      });
    }
  });

  it('names as unsupported what the platform has not', async () => {
    await expect(
      client.sagemaker.send(new ListMonitoringAlertsCommand({ MonitoringScheduleName: 's' })),
    ).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(
      client.sagemaker.send(
        new CreateModelBiasJobDefinitionCommand({
          JobDefinitionName: 'd',
          ModelBiasAppSpecification: { ImageUri: image, ConfigUri: 's3://b/c.json' },
          ModelBiasJobInput: { GroundTruthS3Input: {} },
          ModelBiasJobOutputConfig: definition().MonitoringOutputConfig,
          JobResources: definition().MonitoringResources,
          RoleArn: monitorRole,
        }),
      ),
    ).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});

describe('executions', () => {
  it('start a processing job for the hour that has passed, with the data, variables and places of the contract', async () => {
    const baseline = definition({
      BaselineConfig: {
        ConstraintsResource: { S3Uri: `s3://${bucket}/baseline/constraints.json` },
        StatisticsResource: { S3Uri: `s3://${bucket}/baseline/statistics.json` },
      },
      Environment: { threshold: '0.1', publish_cloudwatch_metrics: 'Disabled' },
    });
    await client.created('hourly', config(hourly, { MonitoringJobDefinition: baseline }));
    const from = thisHour();
    const due = new Date(from.getTime() + hour);
    putCaptured(world, from);
    world.jobs.when('model-monitoring', () => ({ status: 'Completed', exitMessage: 'Completed: no violations.' }));
    await world.clock.advance(due.getTime() - world.clock.now().getTime() - 1);
    expect(await client.executions('hourly')).toEqual([]);
    await world.clock.advance(1);
    const execution = await client.reached('hourly', 'Completed');
    expect(execution).toMatchObject({
      MonitoringScheduleName: 'hourly',
      EndpointName: endpointName,
      ScheduledTime: due,
    });
    expect(execution.FailureReason).toBeUndefined();
    expect((await client.describe('hourly')).LastMonitoringExecutionSummary).toEqual(execution);

    const path = from.toISOString().slice(0, 13).replace(/[-T]/g, '/');
    const reports = due.toISOString().slice(0, 13).replace(/[-T]/g, '/');
    const name = execution.ProcessingJobArn?.split('/').at(-1) ?? '';
    expect(name).toMatch(
      new RegExp(`^model-monitoring-${due.toISOString().replace(/\D/g, '').slice(0, 12)}-[0-9a-f]{24}$`),
    );
    const job = await client.sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }));
    expect(job).toMatchObject({
      ProcessingJobStatus: 'Completed',
      MonitoringScheduleArn: arn('hourly'),
      RoleArn: monitorRole,
      ExitMessage: 'Completed: no violations.',
      AppSpecification: { ImageUri: image, ContainerEntrypoint: ['python3', '/opt/program/analyze.py'] },
      StoppingCondition: { MaxRuntimeInSeconds: 1800 },
    });
    expect(job.Environment).toEqual({
      threshold: '0.1',
      publish_cloudwatch_metrics: 'Disabled',
      dataset_format: '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}',
      dataset_source: '/opt/ml/processing/endpointdata',
      start_time: from.toISOString().replace('.000', ''),
      end_time: due.toISOString().replace('.000', ''),
      output_path: '/opt/ml/processing/resultdata',
      sagemaker_endpoint_name: endpointName,
      sagemaker_monitoring_schedule_name: 'hourly',
      sagemaker_endpoint_datacapture_prefix: `s3://${bucket}/capture`,
      baseline_constraints: '/opt/ml/processing/baseline/constraints/constraints.json',
      baseline_statistics: '/opt/ml/processing/baseline/stats/statistics.json',
    });
    expect(
      job.ProcessingInputs?.map(({ InputName, S3Input }) => [InputName, S3Input?.S3Uri, S3Input?.LocalPath]),
    ).toEqual([
      [
        'endpoint_input_1',
        `s3://${bucket}/capture/${endpointName}/AllTraffic/${path}/`,
        `/opt/ml/processing/endpointdata/${endpointName}/AllTraffic/${path}`,
      ],
      ['constraints', `s3://${bucket}/baseline/constraints.json`, '/opt/ml/processing/baseline/constraints'],
      ['statistics', `s3://${bucket}/baseline/statistics.json`, '/opt/ml/processing/baseline/stats'],
    ]);
    expect(job.ProcessingOutputConfig?.Outputs?.[0]?.S3Output).toMatchObject({
      S3Uri: `s3://${bucket}/reports/${endpointName}/hourly/${reports}`,
      LocalPath: '/opt/ml/processing/resultdata',
    });
  });

  it('tell what the job told: violations, failure, stop', async () => {
    await client.created('s');
    const states: unknown[] = [];
    const outcomes = [
      { status: 'Completed', exitMessage: 'CompletedWithViolations: 2 features drifted' },
      { status: 'Failed', failureReason: 'AlgorithmError: no column y, exit code: 255' },
      { status: 'Stopped' },
    ] as const;
    for (const outcome of outcomes) {
      putCaptured(world, thisHour());
      world.jobs.when('model-monitoring', () => outcome);
      const before = (await client.executions('s')).length;
      await world.clock.advance(hour);
      for (;;) {
        const list = await client.executions('s');
        const [{ MonitoringExecutionStatus: status, FailureReason: reason } = {}] = list;
        if (list.length > before && status !== 'Pending' && status !== 'InProgress') {
          states.push([status, reason]);
          break;
        }
        await pause();
      }
    }
    expect(states).toEqual([
      ['CompletedWithViolations', undefined],
      ['Failed', 'AlgorithmError: no column y, exit code: 255'],
      ['Stopped', undefined],
    ]);
  });

  it('without captured data fail in the words of AWS, and start no job', async () => {
    await client.created('s');
    putCaptured(world, new Date(thisHour().getTime() - hour));
    await world.clock.advance(hour);
    expect(await client.reached('s', 'Failed')).toMatchObject({ FailureReason: 'Job inputs had no data' });
    expect((await client.executions('s'))[0]?.ProcessingJobArn).toBeUndefined();
    expect((await client.sagemaker.send(new ListProcessingJobsCommand({}))).ProcessingJobSummaries).toEqual([]);
  });

  it('of an analyzer that nothing here stands in for fail by name, and start no job', async () => {
    world.jobs.refuse = (_kind, request) => [
      `the image ${request['AppSpecification'].ImageUri} would start a program of its own, which is not on this machine`,
    ];
    const analyzer = `468650794304.dkr.ecr.${region}.amazonaws.com/sagemaker-model-monitor-analyzer`;
    await client.created(
      's',
      config(hourly, { MonitoringJobDefinition: definition({ MonitoringAppSpecification: { ImageUri: analyzer } }) }),
    );
    putCaptured(world, thisHour());
    await world.clock.advance(hour);
    const { FailureReason, ProcessingJobArn } = await client.reached('s', 'Failed');
    expect(FailureReason).toContain('The local platform does not support');
    expect(FailureReason).toContain(`the image ${analyzer} would start a program of its own`);
    expect(ProcessingJobArn).toBeUndefined();
    expect(world.jobs.started).toEqual([]);
  });

  it('with a role that may not list the data fail with the reason', async () => {
    await world.createRole(admin, 'blind', ['sagemaker.amazonaws.com'], []);
    const blind = definition({ RoleArn: `arn:aws:iam::${admin}:role/blind` });
    await client.created('s', config(hourly, { MonitoringJobDefinition: blind }));
    putCaptured(world, thisHour());
    await world.clock.advance(hour);
    const { FailureReason } = await client.reached('s', 'Failed');
    expect(FailureReason).toMatch(/role\/blind has "s3:ListBucket" permissions/);
    expect(FailureReason).toMatch(/not authorized to perform: s3:ListBucket/);
  });

  it('NOW runs once, over the window that was asked for', async () => {
    const at = world.clock.now();
    putCaptured(world, new Date(at.getTime() - 3 * hour));
    putCaptured(world, at);
    const window = { DataAnalysisStartTime: '-PT3H', DataAnalysisEndTime: '-PT1H' };
    await client.created('once', config('NOW', { ScheduleConfig: { ScheduleExpression: 'NOW', ...window } }));
    const execution = await client.reached('once', 'Completed');
    expect(execution.ScheduledTime).toEqual(at);
    const [job] = world.jobs.started;
    expect(job?.request['Environment'].start_time).toBe(
      new Date(at.getTime() - 3 * hour).toISOString().replace(/\.\d+/, ''),
    );
    expect(job?.request['Environment'].end_time).toBe(new Date(at.getTime() - hour).toISOString().replace(/\.\d+/, ''));
    // The hour of now lies outside; that of three hours ago holds data.
    expect(job?.request['ProcessingInputs']).toHaveLength(1);
    await world.clock.advance(9 * hour);
    expect(await client.executions('once')).toHaveLength(1);
    await update('once', config('NOW', { ScheduleConfig: { ScheduleExpression: 'NOW', ...window } }));
    while ((await client.executions('once')).length < 2) await pause();
  });

  it('that run hold deletion and update of their schedule, not its stop', async () => {
    await client.created('s');
    putCaptured(world, thisHour());
    const { release } = world.jobs.block('model-monitoring');
    await world.clock.advance(hour);
    const { ProcessingJobArn } = await client.reached('s', 'InProgress');
    for (const change of [() => remove('s'), () => update('s', config(hourly))]) {
      await expect(change()).rejects.toMatchObject({
        name: 'ValidationException',
        message: expect.stringMatching(/has in-progress executions and cannot be (deleted|updated): .* is InProgress/),
      });
    }
    await stop('s');
    await client.settled('s');
    expect((await client.executions('s'))[0]?.MonitoringExecutionStatus).toBe('InProgress');
    await client.sagemaker.send(
      new StopProcessingJobCommand({ ProcessingJobName: ProcessingJobArn?.split('/').at(-1) }),
    );
    await client.reached('s', 'Stopped');
    release();
    await remove('s');
    await gone('s');
  });

  it('are listed by schedule, endpoint, status and time, page by page', async () => {
    await client.created('a');
    await client.created('b');
    putCaptured(world, thisHour());
    await world.clock.advance(hour);
    await client.reached('a', 'Completed');
    await client.reached('b', 'Completed');
    const middle = world.clock.now();
    await world.clock.advance(2 * hour);
    await client.reached('a', 'Failed');
    await client.reached('b', 'Failed');
    const list = async (input: object) =>
      (await client.sagemaker.send(new ListMonitoringExecutionsCommand(input))).MonitoringExecutionSummaries ?? [];
    expect(await list({ EndpointName: endpointName })).toHaveLength(6);
    expect(await list({ EndpointName: 'other' })).toEqual([]);
    expect(await list({ MonitoringScheduleName: 'none' })).toEqual([]);
    expect((await list({ StatusEquals: 'Completed' })).map((each) => each.MonitoringScheduleName).sort()).toEqual([
      'a',
      'b',
    ]);
    expect(await list({ MonitoringScheduleName: 'a', ScheduledTimeAfter: middle })).toHaveLength(2);
    const pages: MonitoringExecutionSummary[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.sagemaker.send(
        new ListMonitoringExecutionsCommand({
          MaxResults: 2,
          SortBy: 'ScheduledTime',
          SortOrder: 'Ascending',
          NextToken,
        }),
      );
      pages.push(...(page.MonitoringExecutionSummaries ?? []));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    const times = pages.map(({ ScheduledTime }) => Number(ScheduledTime));
    expect(times).toEqual([0, 0, 1, 1, 2, 2].map((later) => (times[0] as number) + later * hour));
    expect(new Set(pages.map((each) => `${each.MonitoringScheduleName} ${each.ScheduledTime}`)).size).toBe(6);
  });

  it('never spin on a clock at once: without anybody else’s sleep no hour passes', async () => {
    await world.close();
    await open('at-once');
    await client.created('s');
    const before = world.clock.now().getTime();
    for (let turn = 0; turn < 20; turn++) await pause();
    expect(world.clock.now().getTime() - before).toBeLessThan(60_000);
    await world.clock.sleep(3 * hour);
    expect((await client.executions('s')).length).toBe(3);
  });
});

describe('lists of schedules', () => {
  it('filter, sort and page', async () => {
    await client.createEndpoint(undefined, 'second');
    const input = { EndpointInput: { EndpointName: 'second', LocalPath: '/opt/ml/processing/x' } };
    for (const name of ['alpha', 'beta', 'gamma']) {
      await client.created(name);
      await world.clock.advance(1_000);
    }
    await client.created(
      'delta',
      config(hourly, { MonitoringJobDefinition: definition({ MonitoringInputs: [input] }) }),
    );
    await stop('beta');
    await client.settled('beta');
    const names = async (filter: ListMonitoringSchedulesRequest) =>
      ((await client.sagemaker.send(new ListMonitoringSchedulesCommand(filter))).MonitoringScheduleSummaries ?? []).map(
        (each) => each.MonitoringScheduleName,
      );
    expect(await names({})).toEqual(['delta', 'gamma', 'beta', 'alpha']);
    expect(await names({ SortBy: 'Name', SortOrder: 'Ascending' })).toEqual(['alpha', 'beta', 'delta', 'gamma']);
    expect(await names({ EndpointName: 'second' })).toEqual(['delta']);
    expect(await names({ EndpointName: 'none' })).toEqual([]);
    expect(await names({ StatusEquals: 'Stopped' })).toEqual(['beta']);
    expect(await names({ NameContains: 'MM' })).toEqual(['gamma']);
    expect(await names({ MonitoringTypeEquals: 'DataQuality' })).toEqual([]);
    const { CreationTime } = await client.describe('beta');
    expect(await names({ CreationTimeBefore: CreationTime })).toEqual(['alpha']);
    const first = await client.sagemaker.send(new ListMonitoringSchedulesCommand({ MaxResults: 3 }));
    expect(first.MonitoringScheduleSummaries).toHaveLength(3);
    expect(await names({ MaxResults: 3, NextToken: first.NextToken })).toEqual(['alpha']);
    expect(first.MonitoringScheduleSummaries?.[0]).toMatchObject({
      MonitoringScheduleArn: arn('delta'),
      MonitoringScheduleStatus: 'Scheduled',
      EndpointName: 'second',
    });
    expect(
      (await world.administrator(target).sagemaker.send(new ListMonitoringSchedulesCommand({})))
        .MonitoringScheduleSummaries,
    ).toEqual([]);
  });
});

describe('data quality job definitions', () => {
  const request = (
    more: Partial<CreateDataQualityJobDefinitionRequest> = {},
  ): CreateDataQualityJobDefinitionRequest => ({
    JobDefinitionName: 'quality',
    DataQualityAppSpecification: { ImageUri: image, ContainerEntrypoint: ['analyze'], Environment: { mode: 'strict' } },
    DataQualityJobInput: definition().MonitoringInputs?.[0],
    DataQualityJobOutputConfig: definition().MonitoringOutputConfig,
    JobResources: definition().MonitoringResources,
    RoleArn: monitorRole,
    ...more,
  });
  const create = (more: Partial<CreateDataQualityJobDefinitionRequest> = {}) =>
    client.sagemaker.send(new CreateDataQualityJobDefinitionCommand(request(more)));
  const drop = (JobDefinitionName: string) =>
    client.sagemaker.send(new DeleteDataQualityJobDefinitionCommand({ JobDefinitionName }));
  const byName = config(hourly, {
    MonitoringJobDefinition: undefined,
    MonitoringJobDefinitionName: 'quality',
    MonitoringType: 'DataQuality',
  });

  it('are made, described, listed and deleted', async () => {
    const { JobDefinitionArn } = await create({ Tags: [{ Key: 'a', Value: 'b' }] });
    expect(JobDefinitionArn).toBe(`arn:aws:sagemaker:${region}:${admin}:data-quality-job-definition/quality`);
    const { Tags: _tags, ...described } = request();
    expect(
      await client.sagemaker.send(new DescribeDataQualityJobDefinitionCommand({ JobDefinitionName: 'quality' })),
    ).toMatchObject({ ...described, JobDefinitionArn, CreationTime: expect.any(Date) });
    await expect(create()).rejects.toMatchObject({ name: 'ResourceInUse' });
    await create({ JobDefinitionName: 'other' });
    const list = async (input: object) =>
      (await client.sagemaker.send(new ListDataQualityJobDefinitionsCommand(input))).JobDefinitionSummaries?.map(
        (each) => each.MonitoringJobDefinitionName,
      );
    expect(await list({ SortBy: 'Name', SortOrder: 'Ascending' })).toEqual(['other', 'quality']);
    expect(await list({ NameContains: 'qual' })).toEqual(['quality']);
    expect(await list({ EndpointName: 'none' })).toEqual([]);
    await drop('quality');
    await expect(drop('quality')).rejects.toMatchObject({ name: 'ResourceNotFound' });
    expect(await list({ EndpointName: endpointName })).toEqual(['other']);
  });

  it('are run by a schedule that names one, and stay as long as it does', async () => {
    await create();
    await client.created('s', byName);
    expect(await client.describe('s')).toMatchObject({ MonitoringType: 'DataQuality', EndpointName: endpointName });
    await expect(drop('quality')).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('the monitoring schedule s runs it'),
    });
    putCaptured(world, thisHour());
    await world.clock.advance(hour);
    expect(await client.reached('s', 'Completed')).toMatchObject({
      MonitoringJobDefinitionName: 'quality',
      MonitoringType: 'DataQuality',
      ProcessingJobArn: expect.stringMatching(/processing-job\/data-quality-monitoring-\d{12}-[0-9a-f]{24}$/),
    });
    expect(world.jobs.started[0]?.request['Environment']).toMatchObject({ mode: 'strict' });
    await remove('s');
    await gone('s');
    await drop('quality');
  });

  it('are refused with a role that cannot be taken, or an endpoint that is not there', async () => {
    await expect(create({ RoleArn: `arn:aws:iam::${admin}:role/none` })).rejects.toThrow('Could not assume role');
    await expect(
      create({ DataQualityJobInput: { EndpointInput: { EndpointName: 'none', LocalPath: '/opt/ml/processing/x' } } }),
    ).rejects.toThrow("Endpoint 'none' does not exist or is not valid");
  });
});

describe('an endpoint that is watched', () => {
  const removeEndpoint = () => client.sagemaker.send(new DeleteEndpointCommand({ EndpointName: endpointName }));

  it('cannot be deleted before its schedules are', async () => {
    await client.created('one');
    await client.created('two');
    await expect(removeEndpoint()).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('because it has monitoring schedules: one, two'),
    });
    await remove('one');
    await gone('one');
    world.durations.set('sagemaker:DeleteMonitoringSchedule', 10);
    await remove('two');
    await expect(removeEndpoint()).rejects.toThrow('monitoring schedules: two');
    await world.clock.advance(10_000);
    await gone('two');
    await removeEndpoint();
  });
});

describe('rights', () => {
  const as = async (statements: object[]) => {
    await world.createRole(admin, 'caller', [admin], statements);
    return world.clients(world.signIn(admin, 'caller'), region).sagemaker;
  };
  const attempt = async (statements: object[], command: any) =>
    (await as(statements)).send(command).then(
      () => 'allowed',
      (error: Error) => `${error.name}: ${error.message}`,
    );
  const all = { Effect: 'Allow', Action: 'sagemaker:*', Resource: '*' };

  it('of whoever creates include passing the role', async () => {
    const { CreateMonitoringScheduleCommand } = await import('@aws-sdk/client-sagemaker');
    const command = new CreateMonitoringScheduleCommand({
      MonitoringScheduleName: 's',
      MonitoringScheduleConfig: config(hourly),
    });
    expect(await attempt([all], command)).toMatch(/AccessDenied.*iam:PassRole on resource: .*role\/monitor/);
  });

  it('know the conditions of the job: instance, network, keys', async () => {
    const { CreateMonitoringScheduleCommand } = await import('@aws-sdk/client-sagemaker');
    const command = new CreateMonitoringScheduleCommand({
      MonitoringScheduleName: 's',
      MonitoringScheduleConfig: config(hourly),
    });
    const needsVpc = {
      Effect: 'Deny',
      Action: 'sagemaker:CreateMonitoringSchedule',
      Resource: '*',
      Condition: { Null: { 'sagemaker:VpcSubnets': 'true' } },
    };
    const pass = { Effect: 'Allow', Action: 'iam:PassRole', Resource: monitorRole };
    expect(await attempt([all, pass, needsVpc], command)).toMatch(/AccessDenied.*explicit deny/);
  });

  it('to delete can hang on the tag of the schedule', async () => {
    await client.create('mine', config(hourly), { Tags: [{ Key: 'project', Value: 'p1' }] });
    await client.create('theirs', config(hourly), { Tags: [{ Key: 'project', Value: 'p2' }] });
    await client.settled('mine');
    await client.settled('theirs');
    const caller = await as([
      {
        Effect: 'Allow',
        Action: 'sagemaker:DeleteMonitoringSchedule',
        Resource: arn('*'),
        Condition: { StringEquals: { 'aws:ResourceTag/project': 'p1' } },
      },
    ]);
    await expect(
      caller.send(new DeleteMonitoringScheduleCommand({ MonitoringScheduleName: 'theirs' })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await caller.send(new DeleteMonitoringScheduleCommand({ MonitoringScheduleName: 'mine' }));
    await gone('mine');
    await client.sagemaker.send(
      new AddTagsCommand({ ResourceArn: arn('theirs'), Tags: [{ Key: 'project', Value: 'p1' }] }),
    );
    await caller.send(new DeleteMonitoringScheduleCommand({ MonitoringScheduleName: 'theirs' }));
    await gone('theirs');
  });
});
