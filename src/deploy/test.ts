/** Tests every endpoint of a stage: is it the gated model, and does it answer as the evaluation did? */
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { poll, stillRunning } from '../aws/poll.ts';
import { parseS3Uri, S3Client } from '../aws/s3.ts';
import type { Aws, Service } from '../aws/session.ts';
import type { Clock } from '../clock.ts';
import { type ConfigurationFacts, checkEndpoint, type EndpointFacts } from '../endpoints/configuration.ts';
import { askEndpoint, SageMakerRuntimeClient } from '../endpoints/invoke.ts';
import { logTail } from '../endpoints/logs.ts';
import { readConfiguration, readEndpoint } from '../endpoints/read.ts';
import { type HeldOut, pairHeldOut, sample } from '../endpoints/rows.ts';
import { type Failure, FailureError } from '../failure.ts';
import type { Logger } from '../github/logger.ts';
import type { Instance } from '../stacksets/model.ts';
import { CloudFormationClient } from '../stacksets/read.ts';
import { endpointName, type Project, roleArn } from './names.ts';
import { type GatedPackage, SageMakerClient } from './package.ts';
import type { Stage } from './stage-file.ts';

export interface EndpointReport {
  account: string;
  region: string;
  endpoint: string;
  /** passed or failed. */
  status: 'passed' | 'failed';
  rows: number;
  'max-difference': number | null;
  /** Median of single-row requests, in milliseconds, as the runner sees them. */
  'latency-ms': number | null;
}

export interface TestDeps {
  aws: Aws;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
  deadline: number;
}

/** Rows and predictions that the evaluation step left beside its metrics. */
export async function readHeldOut(s3: Service, { found, arn }: GatedPackage, signal: AbortSignal): Promise<HeldOut> {
  const metrics = found.ModelMetrics?.ModelQuality?.Statistics?.S3Uri;
  if (metrics === undefined) {
    throw new FailureError({
      code: 'EvidenceMissing',
      resource: arn,
      cause:
        'The package points to no evaluation (ModelMetrics.ModelQuality.Statistics), so there are no held-out rows to ask',
      hint: 'Register it with the metrics of the evaluation step, which writes held-out.csv and predictions.csv beside them',
    });
  }
  const folder = metrics.slice(0, metrics.lastIndexOf('/'));
  const text = async (name: string) => {
    const uri = `${folder}/${name}`;
    const { bucket, key } = parseS3Uri(uri);
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { resource: uri, signal });
    return (await answer.Body?.transformToString('utf-8')) ?? '';
  };
  return pairHeldOut(await text('held-out.csv'), await text('predictions.csv'), folder);
}

/** Name of the configuration that the instance's stack made; undefined when the stack does not say. */
async function configurationOfStack(
  target: Aws,
  instance: Instance | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (instance?.stackId === undefined || instance.stackId === '') return undefined;
  const { Stacks } = await target
    .service(CloudFormationClient)
    .send(new DescribeStacksCommand({ StackName: instance.stackId }), { resource: instance.stackId, signal });
  return Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'EndpointConfigName')?.OutputValue;
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** One endpoint: its facts, then its answers. Failures are collected, not thrown. */
export async function testEndpoint(
  account: string,
  what: { project: Project; stage: Stage; gated: GatedPackage; heldOut: HeldOut; instance: Instance | undefined },
  { aws, clock, signal, deadline }: TestDeps,
): Promise<{ report: EndpointReport; failures: Failure[] }> {
  const { project, stage, gated } = what;
  const { region } = stage;
  const name = endpointName(project, stage.name);
  const target = aws.assume(roleArn(aws.partition, account, project, 'verify'), region);
  const sagemaker = target.service(SageMakerClient);
  const report: EndpointReport = {
    account,
    region,
    endpoint: name,
    status: 'failed',
    rows: 0,
    'max-difference': null,
    'latency-ms': null,
  };
  const failures: Failure[] = [];
  const fail = (failure: Omit<Failure, 'code' | 'account' | 'region'>) =>
    failures.push({ code: 'VerificationFailed', account, region, ...failure });
  try {
    const endpoint: EndpointFacts = await poll({
      read: () => readEndpoint(sagemaker, name, signal),
      done: ({ status, pending }) =>
        !pending && !['Creating', 'Updating', 'SystemUpdating', 'RollingBack'].includes(status),
      clock,
      signal,
      deadline,
      onDeadline: ({ arn, status }) =>
        stillRunning({
          resource: arn,
          region,
          account,
          where: `The endpoint was ${status}`,
          resume: 're-run this job to wait for it',
        }),
    });
    const ofStack = await configurationOfStack(target, what.instance, signal);
    let configuration: ConfigurationFacts | undefined;
    try {
      configuration = await readConfiguration(sagemaker, endpoint.configuration, signal);
    } catch (error) {
      // A configuration that is not the stack's may be anybody's: that it is the wrong one says enough.
      if (ofStack === undefined || ofStack === endpoint.configuration || !(error instanceof FailureError)) throw error;
    }
    const problems = checkEndpoint(endpoint, configuration, {
      configuration: ofStack,
      modelPackage: gated.arn,
      imageDigest: gated.gate.imageDigest === '' ? undefined : gated.gate.imageDigest,
      instanceType: stage.instanceType,
      instanceCount: stage.instanceCount,
    });
    for (const problem of problems) fail({ resource: endpoint.arn, ...problem });
    if (endpoint.status !== 'InService') return { report, failures };

    const asked = sample(what.heldOut, stage.test.rows);
    const runtime = target.service(SageMakerRuntimeClient);
    const { comparison, unexpected, latencies } = await askEndpoint(runtime, name, asked, clock, signal);
    report.rows = asked.rows.length;
    const latency = median(latencies);
    report['latency-ms'] = latency ?? null;
    if (comparison === undefined) {
      fail({
        resource: endpoint.arn,
        logicalId: 'Answers',
        cause: `Expected ${asked.rows.length} numbers, found ${JSON.stringify(unexpected ?? '')}`,
      });
      return { report, failures };
    }
    report['max-difference'] = comparison.largest;
    if (!(comparison.largest <= stage.test.tolerance)) {
      fail({
        resource: endpoint.arn,
        logicalId: 'Predictions',
        cause: `Expected ${comparison.expected} for row ${comparison.row} of ${asked.rows.length}, found ${comparison.found} (difference ${comparison.largest}, allowed ${stage.test.tolerance})`,
        hint: 'The endpoint does not run the model that was evaluated, or the evaluation prepares its rows in another way',
      });
    }
    const { maxLatencyMs } = stage.test;
    if (maxLatencyMs !== undefined && latency !== undefined && latency > maxLatencyMs)
      fail({
        resource: endpoint.arn,
        logicalId: 'Latency',
        cause: `Expected at most ${maxLatencyMs} ms for one row, found ${Math.round(latency)} ms`,
      });
    if (failures.length === 0) report.status = 'passed';
    return { report, failures };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FailureError)) throw error;
    const tail = await logTail(target, name, signal);
    for (const failure of error.failures)
      failures.push({
        ...failure,
        account,
        region,
        ...(tail.length === 0 ? {} : { logTail: tail, logicalId: failure.logicalId ?? name }),
      });
    return { report, failures };
  }
}

/** All endpoints of a stage, some at a time. */
export async function testStage(
  what: { project: Project; stage: Stage; gated: GatedPackage; instances: readonly Instance[] },
  deps: TestDeps,
): Promise<{ reports: EndpointReport[]; failures: Failure[] }> {
  const heldOut = await readHeldOut(deps.aws.service(S3Client), what.gated, deps.signal);
  const reports: EndpointReport[] = [];
  const failures: Failure[] = [];
  const waiting = [...what.stage.accounts];
  const worker = async (): Promise<void> => {
    for (let account = waiting.shift(); account !== undefined; account = waiting.shift()) {
      const instance = what.instances.find((i) => i.account === account && i.region === what.stage.region);
      const outcome = await testEndpoint(account, { ...what, heldOut, instance }, deps);
      reports.push(outcome.report);
      failures.push(...outcome.failures);
      const { status, rows, 'max-difference': difference, 'latency-ms': latency } = outcome.report;
      deps.logger.info(
        `  ${account}/${what.stage.region} ${status}: ${rows} rows, largest difference ${difference ?? '-'}, ${latency === null ? '-' : `${Math.round(latency)} ms`}`,
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(8, waiting.length) }, worker));
  const order = (item: { account?: string }) => what.stage.accounts.indexOf(item.account ?? '');
  return {
    reports: reports.sort((a, b) => order(a) - order(b)),
    failures: failures.sort((a, b) => order(a) - order(b)),
  };
}
