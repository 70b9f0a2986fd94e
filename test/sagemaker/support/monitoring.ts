/** An endpoint that captures data, and schedules that watch it. */
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateMonitoringScheduleCommand,
  type CreateMonitoringScheduleRequest,
  type DataCaptureConfig,
  DescribeEndpointCommand,
  DescribeMonitoringScheduleCommand,
  ListMonitoringExecutionsCommand,
  type MonitoringExecutionSummary,
  type MonitoringJobDefinition,
  type MonitoringScheduleConfig,
} from '@aws-sdk/client-sagemaker';
import { pause } from './pipelines.ts';
import { admin, bucket, image, type World } from './world.ts';

export const monitorRole = `arn:aws:iam::${admin}:role/monitor`;
export const modelRole = `arn:aws:iam::${admin}:role/model`;
export const captured = `s3://${bucket}/capture`;
export const hourly = 'cron(0 * ? * * *)';
export const endpointName = 'watched';

export const capture = (more: Partial<DataCaptureConfig> = {}): DataCaptureConfig => ({
  EnableCapture: true,
  InitialSamplingPercentage: 100,
  DestinationS3Uri: captured,
  CaptureOptions: [{ CaptureMode: 'Input' }, { CaptureMode: 'Output' }],
  CaptureContentTypeHeader: { CsvContentTypes: ['text/csv'], JsonContentTypes: ['application/json'] },
  ...more,
});

export const definition = (more: Partial<MonitoringJobDefinition> = {}): MonitoringJobDefinition => ({
  MonitoringInputs: [{ EndpointInput: { EndpointName: endpointName, LocalPath: '/opt/ml/processing/endpointdata' } }],
  MonitoringOutputConfig: {
    MonitoringOutputs: [{ S3Output: { S3Uri: `s3://${bucket}/reports`, LocalPath: '/opt/ml/processing/resultdata' } }],
  },
  MonitoringResources: { ClusterConfig: { InstanceCount: 1, InstanceType: 'ml.m5.large', VolumeSizeInGB: 20 } },
  MonitoringAppSpecification: { ImageUri: image, ContainerEntrypoint: ['python3', '/opt/program/analyze.py'] },
  StoppingCondition: { MaxRuntimeInSeconds: 1800 },
  RoleArn: monitorRole,
  ...more,
});

export const config = (
  ScheduleExpression: string,
  more: Partial<MonitoringScheduleConfig> = {},
): MonitoringScheduleConfig => ({
  ScheduleConfig: { ScheduleExpression },
  MonitoringJobDefinition: definition(),
  ...more,
});

export function monitoringClient(world: World, account = admin) {
  const { sagemaker } = world.administrator(account);
  return {
    sagemaker,
    async createRoles(): Promise<void> {
      const trust = ['sagemaker.amazonaws.com'];
      const below = (prefix: string) => `arn:aws:s3:::${bucket}/${prefix}/*`;
      await world.createRole(admin, 'monitor', trust, [
        { Effect: 'Allow', Action: 's3:ListBucket', Resource: `arn:aws:s3:::${bucket}` },
        { Effect: 'Allow', Action: 's3:GetObject', Resource: below('capture') },
      ]);
      await world.createRole(admin, 'model', trust, [
        { Effect: 'Allow', Action: 's3:GetObject', Resource: below('models') },
        { Effect: 'Allow', Action: 's3:PutObject', Resource: below('capture') },
      ]);
    },
    async createEndpoint(dataCapture: DataCaptureConfig | null = capture(), name = endpointName): Promise<void> {
      world.s3.put(`s3://${bucket}/models/model.tar.gz`, 'model');
      const model = { Image: image, ModelDataUrl: `s3://${bucket}/models/model.tar.gz` };
      await sagemaker.send(
        new CreateModelCommand({ ModelName: name, PrimaryContainer: model, ExecutionRoleArn: modelRole }),
      );
      const variant = {
        VariantName: 'AllTraffic',
        ModelName: name,
        InstanceType: 'ml.m5.large' as const,
        InitialInstanceCount: 1,
      };
      await sagemaker.send(
        new CreateEndpointConfigCommand({
          EndpointConfigName: name,
          ProductionVariants: [variant],
          ...(dataCapture === null ? {} : { DataCaptureConfig: dataCapture }),
        }),
      );
      await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }));
      while ((await sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }))).EndpointStatus !== 'InService')
        await pause();
    },
    async create(
      MonitoringScheduleName: string,
      scheduleConfig: MonitoringScheduleConfig = config(hourly),
      more: Partial<CreateMonitoringScheduleRequest> = {},
    ): Promise<string> {
      const answer = await sagemaker.send(
        new CreateMonitoringScheduleCommand({
          MonitoringScheduleName,
          MonitoringScheduleConfig: scheduleConfig,
          ...more,
        }),
      );
      return answer.MonitoringScheduleArn as string;
    },
    describe: (MonitoringScheduleName: string) =>
      sagemaker.send(new DescribeMonitoringScheduleCommand({ MonitoringScheduleName })),
    /** The schedule when it changes no more. */
    async settled(name: string) {
      for (;;) {
        const answer = await this.describe(name);
        if (answer.MonitoringScheduleStatus !== 'Pending') return answer;
        await pause();
      }
    },
    async created(name: string, scheduleConfig?: MonitoringScheduleConfig): Promise<void> {
      await this.create(name, scheduleConfig);
      await this.settled(name);
    },
    /** Newest first. */
    async executions(MonitoringScheduleName: string): Promise<MonitoringExecutionSummary[]> {
      const answer = await sagemaker.send(new ListMonitoringExecutionsCommand({ MonitoringScheduleName }));
      return answer.MonitoringExecutionSummaries ?? [];
    },
    /** The newest execution when it has the status. */
    async reached(name: string, status: string): Promise<MonitoringExecutionSummary> {
      for (let look = 0; ; look++) {
        const [latest] = await this.executions(name);
        if (latest?.MonitoringExecutionStatus === status) return latest;
        if (look > 1000) throw new Error(`${name} is at ${JSON.stringify(latest)}, not ${status}`);
        await pause();
      }
    },
  };
}

/** Captured data as an invocation at that moment would have left it. */
export function putCaptured(world: World, at: Date, text = '{}', endpoint = endpointName): string {
  const hour = at.toISOString().slice(0, 13).replace(/[-T]/g, '/');
  const uri = `${captured}/${endpoint}/AllTraffic/${hour}/00-00-000.jsonl`;
  world.s3.put(uri, text);
  return uri;
}
