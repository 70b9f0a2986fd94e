import type { CreateProcessingJobRequest, MonitoringJobDefinition, ProcessingInput } from '@aws-sdk/client-sagemaker';
import { parseDuration } from '../duration.ts';
import { capturing, hourPrefix } from '../hosting/capture.ts';
import type { EndpointRecord } from '../hosting/store.ts';
import { parseOffset } from './expression.ts';

const hour = 3_600_000;
const defaultMaxRuntimeSeconds = 3_600;

/** The data of one execution, from `start` to `end`. */
export interface Window {
  start: Date;
  end: Date;
}

/** Captured data of one variant in one hour. */
export interface HourOfData {
  /** s3://BUCKET/PREFIX/ENDPOINT/VARIANT/yyyy/mm/dd/hh */
  uri: string;
  /** ENDPOINT/VARIANT/yyyy/mm/dd/hh */
  path: string;
}

/** The offsets of an endpoint input move the window, as its merging with late labels needs it. */
export function shifted(job: MonitoringJobDefinition, { start, end }: Window): Window {
  const input = job.MonitoringInputs?.[0]?.EndpointInput;
  const offset = (text: string | undefined) => (text === undefined ? 0 : (parseOffset(text, parseDuration) ?? 0));
  return {
    start: new Date(start.getTime() + offset(input?.StartTimeOffset)),
    end: new Date(end.getTime() + offset(input?.EndTimeOffset)),
  };
}

/** Every hour of every variant in which data of the window can lie; whole hours, so there may be more than asked for. */
export function hoursOfData(endpoint: EndpointRecord, { start, end }: Window): HourOfData[] {
  const destination = capturing(endpoint.config)?.DestinationS3Uri ?? '';
  const hours: HourOfData[] = [];
  for (const variant of endpoint.config.request.ProductionVariants ?? []) {
    for (let at = Math.floor(start.getTime() / hour) * hour; at < end.getTime(); at += hour) {
      const name = variant.VariantName ?? '';
      const uri = hourPrefix(destination, endpoint.name, name, new Date(at));
      hours.push({ uri, path: hourPrefix('', endpoint.name, name, new Date(at)).slice(1) });
    }
  }
  return hours;
}

const seconds = (at: Date) => at.toISOString().replace(/\.\d+Z$/, 'Z');
const fileName = (uri: string) => uri.slice(uri.lastIndexOf('/') + 1);

function input(InputName: string, S3Uri: string, LocalPath: string): ProcessingInput {
  return {
    InputName,
    AppManaged: false,
    S3Input: {
      S3Uri,
      LocalPath,
      S3DataType: 'S3Prefix',
      S3InputMode: 'File',
      S3DataDistributionType: 'FullyReplicated',
      S3CompressionType: 'None',
    },
  };
}

/**
 * The processing job of an execution. Variables and places are those of
 * https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html and of jobs that AWS started:
 * reports go below ENDPOINT/SCHEDULE/yyyy/mm/dd/hh of the end of the window.
 */
export function processingRequest(order: {
  name: string;
  schedule: string;
  job: MonitoringJobDefinition;
  endpoint: EndpointRecord;
  window: Window;
  data: readonly HourOfData[];
}): CreateProcessingJobRequest {
  const { job, endpoint, window, schedule } = order;
  const source = job.MonitoringInputs?.[0]?.EndpointInput;
  const output = job.MonitoringOutputConfig?.MonitoringOutputs?.[0]?.S3Output;
  const constraints = job.BaselineConfig?.ConstraintsResource?.S3Uri;
  const statistics = job.BaselineConfig?.StatisticsResource?.S3Uri;
  const capture = capturing(endpoint.config);
  const modes = (capture?.CaptureOptions ?? []).map((option) => option.CaptureMode);
  const captured = [
    ...(modes.some((mode) => mode !== 'Output') ? ['endpointInput'] : []),
    ...(modes.some((mode) => mode !== 'Input') ? ['endpointOutput'] : []),
  ];
  const dataPath = source?.LocalPath ?? '';
  const inputs: ProcessingInput[] = order.data.map(({ uri, path }, index) =>
    input(`endpoint_input_${index + 1}`, `${uri}/`, `${dataPath.replace(/\/+$/, '')}/${path}`),
  );
  if (constraints !== undefined)
    inputs.push(input('constraints', constraints, '/opt/ml/processing/baseline/constraints'));
  if (statistics !== undefined) inputs.push(input('statistics', statistics, '/opt/ml/processing/baseline/stats'));
  return {
    ProcessingJobName: order.name,
    RoleArn: job.RoleArn,
    AppSpecification: {
      ImageUri: job.MonitoringAppSpecification?.ImageUri,
      ContainerEntrypoint: job.MonitoringAppSpecification?.ContainerEntrypoint,
      ContainerArguments: job.MonitoringAppSpecification?.ContainerArguments,
    },
    Environment: {
      publish_cloudwatch_metrics: 'Enabled',
      ...job.Environment,
      dataset_format: JSON.stringify({ sagemakerCaptureJson: { captureIndexNames: captured } }),
      dataset_source: dataPath,
      start_time: seconds(window.start),
      end_time: seconds(window.end),
      output_path: output?.LocalPath ?? '',
      sagemaker_endpoint_name: endpoint.name,
      sagemaker_monitoring_schedule_name: schedule,
      sagemaker_endpoint_datacapture_prefix: capture?.DestinationS3Uri ?? '',
      ...(source?.InferenceAttribute === undefined ? {} : { inference_attribute: source.InferenceAttribute }),
      ...(constraints === undefined
        ? {}
        : { baseline_constraints: `/opt/ml/processing/baseline/constraints/${fileName(constraints)}` }),
      ...(statistics === undefined
        ? {}
        : { baseline_statistics: `/opt/ml/processing/baseline/stats/${fileName(statistics)}` }),
    },
    ProcessingInputs: inputs,
    ProcessingOutputConfig: {
      KmsKeyId: job.MonitoringOutputConfig?.KmsKeyId,
      Outputs: [
        {
          OutputName: 'result',
          AppManaged: false,
          S3Output: {
            S3Uri: hourPrefix(output?.S3Uri ?? '', endpoint.name, schedule, window.end),
            LocalPath: output?.LocalPath,
            // Nobody looks into an upload while the job runs: what Continuous leaves behind is the same.
            S3UploadMode: 'EndOfJob',
          },
        },
      ],
    },
    ProcessingResources: { ClusterConfig: job.MonitoringResources?.ClusterConfig },
    NetworkConfig: job.NetworkConfig,
    StoppingCondition: job.StoppingCondition ?? { MaxRuntimeInSeconds: defaultMaxRuntimeSeconds },
  };
}
