import type { MonitoringJobDefinition, MonitoringScheduleConfig } from '@aws-sdk/client-sagemaker';
import { NotImplementedError } from '../../../core/errors.ts';
import type { AuthorizationRequest } from '../../../core/service.ts';
import { splitS3Uri } from '../artifacts.ts';
import { parseDuration } from '../duration.ts';
import { capturing } from '../hosting/capture.ts';
import { lookUpEndpoint } from '../hosting/endpoints.ts';
import type { EndpointRecord, Hostings } from '../hosting/store.ts';
import { definedOnly } from '../operation.ts';
import { resourceNotFound, validationError } from '../problems.ts';
import { keyOf, type Scope } from '../scope.ts';
import { parseExpression, parseOffset, shortestGap, type Timing } from './expression.ts';
import { endpointOf, jobOf, type Monitoring } from './store.ts';

const longestWindow = 24 * 3_600_000;

/** The condition keys that IAM knows for schedules and job definitions. */
export function monitoringConditions(
  job: MonitoringJobDefinition | undefined,
): NonNullable<AuthorizationRequest['context']> {
  const cluster = job?.MonitoringResources?.ClusterConfig;
  const network = job?.NetworkConfig;
  return definedOnly({
    'sagemaker:InstanceTypes': cluster?.InstanceType === undefined ? undefined : [cluster.InstanceType],
    'sagemaker:VolumeKmsKeyArn': cluster?.VolumeKmsKeyId,
    'sagemaker:OutputKmsKeyArn': job?.MonitoringOutputConfig?.KmsKeyId,
    'sagemaker:MaxRuntimeInSeconds': job?.StoppingCondition?.MaxRuntimeInSeconds,
    'sagemaker:NetworkIsolation': network?.EnableNetworkIsolation,
    'sagemaker:InterContainerTrafficEncryption': network?.EnableInterContainerTrafficEncryption,
    'sagemaker:VpcSubnets': network?.VpcConfig?.Subnets,
    'sagemaker:VpcSecurityGroupIds': network?.VpcConfig?.SecurityGroupIds,
  });
}

/** What only AWS's analyzer, or data that nothing here captures, could make use of. */
function refuseUnsupported(job: MonitoringJobDefinition): void {
  const application = job.MonitoringAppSpecification;
  const input = job.MonitoringInputs?.[0];
  const found = [
    ...(['RecordPreprocessorSourceUri', 'PostAnalyticsProcessorSourceUri'] as const).filter(
      (member) => application?.[member] !== undefined,
    ),
    ...(job.BaselineConfig?.BaseliningJobName === undefined
      ? []
      : ['BaseliningJobName (name its files by ConstraintsResource and StatisticsResource)']),
    ...(input?.BatchTransformInput === undefined
      ? []
      : ['BatchTransformInput (transform jobs capture no data here; monitor an endpoint)']),
    ...(
      [
        'FeaturesAttribute',
        'ProbabilityAttribute',
        'ProbabilityThresholdAttribute',
        'ExcludeFeaturesAttribute',
      ] as const
    ).filter((member) => input?.EndpointInput?.[member] !== undefined),
  ];
  if (found.length > 0) throw new NotImplementedError(`${found.join(', ')} of monitoring jobs`);
}

/** Throws ValidationException for a job that could never run, NotImplemented for what this platform does not do. */
export function checkJobDefinition(hostings: Hostings, scope: Scope, job: MonitoringJobDefinition): void {
  const input = job.MonitoringInputs?.[0];
  const kinds = [input?.EndpointInput, input?.BatchTransformInput].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) throw validationError('Give exactly one of EndpointInput and BatchTransformInput.');
  refuseUnsupported(job);
  for (const member of ['StartTimeOffset', 'EndTimeOffset'] as const) {
    const text = input?.EndpointInput?.[member];
    if (text !== undefined && parseOffset(text, parseDuration) === undefined) {
      throw validationError(`${member} ${text} is not valid: expected an ISO 8601 duration such as -PT1H.`);
    }
  }
  const uri = job.MonitoringOutputConfig?.MonitoringOutputs?.[0]?.S3Output?.S3Uri ?? '';
  if (splitS3Uri(uri) === undefined) {
    throw validationError(`MonitoringOutputs S3Uri ${uri} is not valid: expected s3://BUCKET/PREFIX.`);
  }
  const name = endpointOf(job) ?? '';
  checkWatchable(lookUpEndpoint(hostings, scope, name), name);
}

/**
 * Throws ValidationException for an endpoint that is not there or captures no data. AWS has one text for both (what it
 * says after the colon is ours).
 */
export function checkWatchable(endpoint: EndpointRecord | undefined, name: string): asserts endpoint is EndpointRecord {
  if (endpoint === undefined || endpoint.status === 'Deleting' || endpoint.status === 'Failed') {
    throw validationError(`Endpoint '${name}' does not exist or is not valid`);
  }
  if (capturing(endpoint.config) === undefined) {
    throw validationError(
      `Endpoint '${name}' does not exist or is not valid: its configuration ${endpoint.config.name} captures no data; deploy one with DataCaptureConfig`,
    );
  }
}

/** The window of a schedule's DataAnalysisStartTime and DataAnalysisEndTime, in milliseconds from the scheduled time. */
export function analysisWindow(config: MonitoringScheduleConfig): { start: number; end: number } | undefined {
  const { DataAnalysisStartTime: from, DataAnalysisEndTime: to } = config.ScheduleConfig ?? {};
  if (from === undefined && to === undefined) return undefined;
  const start = from === undefined ? undefined : parseOffset(from, parseDuration);
  const end = to === undefined ? undefined : parseOffset(to, parseDuration);
  if (start === undefined || end === undefined) {
    throw validationError(
      'DataAnalysisStartTime and DataAnalysisEndTime go together, each an ISO 8601 duration such as -PT1H or PT0H.',
    );
  }
  if (end <= start || end - start > longestWindow) {
    throw validationError(`DataAnalysisEndTime ${to} must follow DataAnalysisStartTime ${from} by at most 24 hours.`);
  }
  return { start, end };
}

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MonitoringStoppingCondition.html */
function checkRuntime(timing: Timing, job: MonitoringJobDefinition | undefined): void {
  const limit = job?.StoppingCondition?.MaxRuntimeInSeconds;
  if (limit === undefined || timing.kind === 'now' || limit * 1000 <= shortestGap(timing.hours)) return;
  throw validationError(
    `MaxRuntimeInSeconds ${limit} must not exceed the frequency of the schedule, ${shortestGap(timing.hours) / 1000} seconds.`,
  );
}

/** Throws ValidationException, ResourceNotFound for a definition that is not there, or NotImplemented. */
export function checkScheduleConfig(
  monitoring: Monitoring,
  hostings: Hostings,
  scope: Scope,
  config: MonitoringScheduleConfig,
): Timing {
  const { MonitoringJobDefinition: inline, MonitoringJobDefinitionName: name, MonitoringType: type } = config;
  if ((inline === undefined) === (name === undefined)) {
    throw validationError('Give exactly one of MonitoringJobDefinition and MonitoringJobDefinitionName.');
  }
  if (name !== undefined && type === undefined) {
    throw validationError(`MonitoringType is missing: it says which kind of job definition ${name} is.`);
  }
  if (type !== undefined && type !== 'DataQuality') {
    throw new NotImplementedError(`MonitoringType ${type} of monitoring schedules; DataQuality is supported`);
  }
  const timing = parseExpression(config.ScheduleConfig?.ScheduleExpression);
  const window = analysisWindow(config);
  if (timing.kind === 'now' && window === undefined) {
    throw validationError('ScheduleExpression NOW needs DataAnalysisStartTime and DataAnalysisEndTime.');
  }
  if (inline !== undefined) checkJobDefinition(hostings, scope, inline);
  else if (!monitoring.definitions.has(keyOf(name as string))) {
    throw resourceNotFound(`Data quality job definition ${name} does not exist.`);
  }
  checkRuntime(timing, jobOf(monitoring, config));
  return timing;
}
