import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  DescribePipelineDefinitionForExecutionCommand,
  type PipelineExecutionStep,
  SageMakerClient,
  StopPipelineExecutionCommand,
} from '@aws-sdk/client-sagemaker';
import { parseArn } from '../aws/partition.ts';
import { S3Client } from '../aws/s3.ts';
import type { Aws } from '../aws/session.ts';
import { canonicalJson, requestToken, sha256 } from '../aws/token.ts';
import type { Clock } from '../clock.ts';
import { FailureError, type Status } from '../failure.ts';
import { namesOf, type Project, projectTags } from '../names.ts';
import type { Definition } from './definition.ts';
import type { Change } from './diff.ts';
import type { Job } from './jobs.ts';
import {
  describeJobs,
  describePackage,
  explain,
  type OutcomeDeps,
  packageArns,
  type RegisteredPackage,
  unmetConditions,
} from './outcome.ts';
import { prepare } from './prepare.ts';
import { type Started, startOrAttach } from './start.ts';
import { missingFiles, type UploadFile, uploadFiles } from './uploads.ts';
import { applyPipeline, planPipeline } from './upsert.ts';
import { type ExecutionState, watchExecution } from './watch.ts';

export interface RunRequest {
  project: Project;
  workspace: string;
  configuration: string;
  parameters: Readonly<Record<string, string>>;
  selectedSteps: readonly string[] | undefined;
  sourceExecution: string | undefined;
  onNoModel: 'fail' | 'succeed';
  dryRun: boolean;
  /** Names that differ from the project's own. */
  pipelineName: string | undefined;
  bucket: string | undefined;
  kmsKey: string | undefined;
  pipelineRole: string | undefined;
  jobRole: string | undefined;
  runId: string;
  commit: string;
  runUrl: string;
  deadline: number | undefined;
}

/** What is known so far; the summary is written from it, also after a failure. */
export interface RunReport {
  region?: string;
  account?: string;
  advice?: string[];
  pipelineArn?: string;
  pipelineAction?: 'create' | 'update' | 'unchanged';
  version?: number | undefined;
  changes?: Change[];
  uploaded?: { files: number; bytes: number; reused: number };
  parameters?: Record<string, string>;
  started?: Started;
  state?: ExecutionState;
  jobs?: Map<string, Job>;
  instanceSeconds?: number;
  packages?: RegisteredPackage[];
}

export interface RunListener {
  info(message: string): void;
  pipeline(arn: string, action: 'create' | 'update' | 'unchanged'): void;
  /** An execution runs (or ended) remotely; `stop` ends it. */
  execution(started: Started, stop: () => Promise<void>): void;
  step(step: PipelineExecutionStep): void;
}

export interface RunDeps {
  aws: Aws;
  clock: Clock;
  signal: AbortSignal;
  listener: RunListener;
}

async function keyArn(aws: Aws, key: string): Promise<string> {
  if (/^arn:[^:]+:kms:[^:]+:\d{12}:key\//.test(key)) return key;
  try {
    const answer = await aws.service(KMSClient).send(new DescribeKeyCommand({ KeyId: key }), { resource: key });
    return answer.KeyMetadata?.Arn ?? key;
  } catch (error) {
    const [failure] = error instanceof FailureError ? error.failures : [];
    if (failure?.code !== 'NotFound') throw error;
    const hint = `Check \`project-name\`, \`project-id\` and \`aws-region\`: the project's template makes this key in its own region`;
    throw new FailureError({ ...failure, hint }, 'failed', { cause: error });
  }
}

/**
 * Brings the pipeline up to date, runs it once per run id and answers with what it registered. Reads come before writes, so a
 * wrong name, region or permission is told before anything was changed. Throws FailureError; `report` holds what was reached.
 */
export async function runPipeline(request: RunRequest, deps: RunDeps, report: RunReport): Promise<Status> {
  const { aws, clock, signal, listener } = deps;
  const { region } = aws;
  const names = namesOf(request.project);
  const bucket = request.bucket ?? names.bucket;
  const name = request.pipelineName ?? names.base;
  const prepared = await prepare({ ...request, region, bucket, names });
  report.region = region;
  report.advice = prepared.advice;
  for (const line of prepared.advice) listener.info(`Advice: ${line}`);

  const { account } = await aws.identity();
  report.account = account;
  const roles = {
    pipeline: request.pipelineRole ?? names.role(account, 'pipeline', aws.partition),
    job: request.jobRole ?? names.role(account, 'job', aws.partition),
  };
  const sagemaker = aws.service(SageMakerClient);
  const s3 = aws.service(S3Client);
  const missing: UploadFile[] = [];
  for (const upload of prepared.uploads) missing.push(...(await missingFiles(s3, upload)));
  // After the bucket, whose answer tells a wrong region from a wrong name.
  const kmsKeyArn = await keyArn(aws, request.kmsKey ?? names.keyAlias);
  const wanted = {
    name,
    arn: `arn:${aws.partition}:sagemaker:${region}:${account}:pipeline/${name.toLowerCase()}`,
    definition: prepared.render(roles),
    description: prepared.build.description,
    roleArn: roles.pipeline,
    maxParallelSteps: prepared.build['max-parallel-steps'],
    tags: projectTags(request.project),
  };
  const plan = await planPipeline(sagemaker, wanted);
  report.pipelineAction = plan.action;
  report.changes = plan.changes;
  const parameters = prepared.parameters(kmsKeyArn);
  report.parameters = parameters;
  if (request.dryRun) {
    report.pipelineArn = plan.current?.PipelineArn ?? wanted.arn;
    listener.pipeline(report.pipelineArn, plan.action);
    return plan.action === 'unchanged' ? 'unchanged' : '';
  }

  await uploadFiles(s3, bucket, missing, kmsKeyArn);
  const all = prepared.uploads.flatMap(({ files }) => files);
  report.uploaded = {
    files: missing.length,
    bytes: missing.reduce((sum, { size }) => sum + size, 0),
    reused: all.length - missing.length,
  };
  const identity = { runId: request.runId, pipeline: name, account, region };
  const { arn, version } = await applyPipeline(
    sagemaker,
    wanted,
    plan,
    {
      token: requestToken({
        runId: request.runId,
        action: 'create-pipeline',
        intent: sha256(canonicalJson({ ...identity, definition: wanted.definition })),
        generation: 1,
      }),
      commit: request.commit,
      note: request.runUrl,
    },
    clock,
  );
  report.pipelineArn = arn;
  report.version = version;
  listener.pipeline(arn, plan.action);

  const intent = sha256(
    canonicalJson({
      ...identity,
      parameters,
      selectedSteps: request.selectedSteps ?? null,
      sourceExecution: request.sourceExecution ?? null,
    }),
  );
  const started = await startOrAttach(
    sagemaker,
    {
      pipelineName: name,
      fresh: plan.action === 'create',
      parameters,
      runId: request.runId,
      intent,
      description: request.runUrl === '' ? `Commit ${request.commit}` : `${request.runUrl} at ${request.commit}`,
      maxParallelSteps: undefined,
      selectedSteps: request.selectedSteps,
      sourceExecution: request.sourceExecution,
    },
    clock,
    signal,
  );
  report.started = started;
  listener.execution(started, async () => {
    await sagemaker.send(
      new StopPipelineExecutionCommand({
        PipelineExecutionArn: started.executionArn,
        ClientRequestToken: requestToken({
          runId: request.runId,
          action: 'stop',
          intent: started.executionArn,
          generation: 1,
        }),
      }),
      { resource: started.executionArn },
    );
  });
  const state = await watchExecution({
    sagemaker,
    executionArn: started.executionArn,
    region,
    account,
    clock,
    signal,
    deadline: request.deadline,
    onStep: listener.step,
  });
  report.state = state;
  return conclude(
    request,
    { sagemaker, s3, logs: aws.service(CloudWatchLogsClient), account, region },
    started,
    state,
    parameters,
    wanted.definition,
    report,
  );
}

async function conclude(
  request: RunRequest,
  deps: OutcomeDeps,
  started: Started,
  state: ExecutionState,
  parameters: Record<string, string>,
  current: Definition,
  report: RunReport,
): Promise<Status> {
  const jobs = await describeJobs(deps, state.steps);
  report.jobs = jobs;
  report.instanceSeconds = [...jobs.values()].reduce(
    (sum, job) => sum + (job.billableSeconds ?? 0) * job.instanceCount,
    0,
  );
  const { executionArn } = started;
  // A retried execution keeps its own definition, which need not be today's.
  const definition = started.how === 'started' ? current : await executionDefinition(deps, executionArn, current);
  if (state.status !== 'Succeeded') {
    throw new FailureError(await explain(deps, executionArn, state, definition, parameters, jobs));
  }
  const arns = packageArns(state.steps);
  report.packages = await Promise.all(arns.map((arn) => describePackage(deps, arn)));
  if (arns.length > 0) return '';
  if (request.onNoModel === 'succeed' || request.selectedSteps !== undefined) return 'none';
  const unmet = await unmetConditions(deps, executionArn, definition, parameters, state.steps, jobs);
  throw new FailureError(
    unmet.length > 0
      ? unmet
      : {
          code: 'NoModel',
          account: deps.account,
          region: deps.region,
          resource: executionArn,
          cause: 'The execution succeeded without registering a model',
          hint: 'Give `on-no-model: succeed` when that is meant',
        },
  );
}

async function executionDefinition(deps: OutcomeDeps, executionArn: string, fallback: Definition): Promise<Definition> {
  try {
    const answer = await deps.sagemaker.send(
      new DescribePipelineDefinitionForExecutionCommand({ PipelineExecutionArn: executionArn }),
      { resource: executionArn },
    );
    return JSON.parse(answer.PipelineDefinition ?? '') as Definition;
  } catch {
    return fallback;
  }
}

/** Number of the version in a package's ARN. */
export function packageVersion(arn: string): string {
  return parseArn(arn)?.resource.split('/').at(-1) ?? '';
}
