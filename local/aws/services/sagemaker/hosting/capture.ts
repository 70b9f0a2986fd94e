/**
 * Data capture of real-time endpoints: what was asked and answered, as JSON lines in the owner's bucket. Format and place:
 * https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
 */
import { randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { DataCaptureConfig, DataCaptureConfigSummary } from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import { splitS3Uri } from '../artifacts.ts';
import { reasonOf, validationError } from '../problems.ts';
import type { EndpointConfigRecord, EndpointRecord, FleetVariant } from './store.ts';

/** EnableCapture may be left out, and then means yes. */
export function capturing(config: EndpointConfigRecord): DataCaptureConfig | undefined {
  const capture = config.request.DataCaptureConfig;
  return capture === undefined || capture.EnableCapture === false ? undefined : capture;
}

/** Throws ValidationException for what no bucket can be found in. */
export function checkCapture(capture: DataCaptureConfig | undefined): void {
  if (capture === undefined) return;
  const uri = capture.DestinationS3Uri ?? '';
  if (splitS3Uri(uri) === undefined) {
    throw validationError(`DataCaptureConfig.DestinationS3Uri ${uri} is not valid: expected s3://BUCKET/PREFIX.`);
  }
}

/** As DescribeEndpoint shows it; undefined for a configuration that never spoke of capture. */
export function captureSummary(endpoint: EndpointRecord): DataCaptureConfigSummary | undefined {
  const capture = endpoint.config.request.DataCaptureConfig;
  if (capture === undefined) return undefined;
  const enabled = capturing(endpoint.config) !== undefined;
  return {
    EnableCapture: enabled,
    CaptureStatus: enabled && endpoint.status !== 'Failed' ? 'Started' : 'Stopped',
    CurrentSamplingPercentage: capture.InitialSamplingPercentage,
    DestinationS3Uri: capture.DestinationS3Uri,
    KmsKeyId: capture.KmsKeyId ?? '',
  };
}

const twoDigits = (value: number) => String(value).padStart(2, '0');

/** ENDPOINT/VARIANT/yyyy/mm/dd/hh (UTC) below a destination, where the captured data of one hour lies. */
export function hourPrefix(destination: string, endpoint: string, variant: string, at: Date): string {
  const parts = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours()].map(twoDigits);
  return [destination.replace(/\/+$/, ''), endpoint, variant, ...parts].join('/');
}

interface Side {
  contentType: string | undefined;
  body: Uint8Array;
}

/** Content types of the header lists are written as text; anything else as Base64 (API reference of DataCaptureConfig). */
function encode(capture: DataCaptureConfig, mode: 'INPUT' | 'OUTPUT', { contentType = '', body }: Side) {
  const listed = (types: string[] | undefined) =>
    (types ?? []).some((type) => type.toLowerCase() === contentType.split(';')[0]?.trim().toLowerCase());
  const { CsvContentTypes, JsonContentTypes } = capture.CaptureContentTypeHeader ?? {};
  const encoding = listed(CsvContentTypes) ? 'CSV' : listed(JsonContentTypes) ? 'JSON' : 'BASE64';
  const data = Buffer.from(body).toString(encoding === 'BASE64' ? 'base64' : 'utf8');
  return { observedContentType: contentType, mode, data, encoding };
}

export interface Invocation {
  endpoint: EndpointRecord;
  config: EndpointConfigRecord;
  variant: FleetVariant;
  inferenceId: string | undefined;
  input: Side;
  output: Side;
}

export type Capture = (invocation: Invocation) => void;

/**
 * Writes one object per captured invocation, with the rights of the model's role, after the answer went out. SageMaker
 * collects several invocations in one file. A write that is refused loses the record; only the platform's log tells, as
 * on AWS nobody but the endpoint's own log would.
 */
export function createCapture(context: PlatformContext, dice: () => number = Math.random): Capture {
  return ({ endpoint, config, variant, inferenceId, input, output }) => {
    const capture = capturing(config);
    if (capture === undefined || dice() * 100 >= (capture.InitialSamplingPercentage ?? 0)) return;
    const modes = (capture.CaptureOptions ?? []).map((option) => option.CaptureMode);
    const wants = (mode: 'Input' | 'Output') => modes.includes(mode) || modes.includes('InputAndOutput');
    const at = context.clock.now();
    const record = {
      captureData: {
        ...(wants('Input') ? { endpointInput: encode(capture, 'INPUT', input) } : {}),
        ...(wants('Output') ? { endpointOutput: encode(capture, 'OUTPUT', output) } : {}),
      },
      eventMetadata: {
        eventId: randomUUID(),
        ...(inferenceId === undefined ? {} : { inferenceId }),
        inferenceTime: at.toISOString().replace(/\.\d+Z$/, 'Z'),
      },
      eventVersion: '0',
    };
    const prefix = hourPrefix(capture.DestinationS3Uri ?? '', endpoint.name, variant.variant.VariantName ?? '', at);
    const place = splitS3Uri(
      `${prefix}/${twoDigits(at.getUTCMinutes())}-${twoDigits(at.getUTCSeconds())}-${String(at.getUTCMilliseconds()).padStart(3, '0')}-${randomUUID()}.jsonl`,
    );
    const write = async () => {
      const { s3 } = context.clients(variant.credentials, endpoint.scope.region);
      await s3.send(
        new PutObjectCommand({
          Bucket: place?.bucket,
          Key: place?.key,
          Body: `${JSON.stringify(record)}\n`,
          ContentType: 'application/jsonlines',
          ...(capture.KmsKeyId === undefined ? {} : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: capture.KmsKeyId }),
        }),
      );
    };
    // Whoever waits for the record must not be overtaken by time.
    const release = context.clock.hold();
    write()
      .catch((error: unknown) => {
        if (context.signal.aborted) return;
        context.logger.warn(
          `Endpoint ${endpoint.arn}: captured data could not be written to ${prefix}: ${reasonOf(error)}`,
        );
      })
      .finally(release);
  };
}
