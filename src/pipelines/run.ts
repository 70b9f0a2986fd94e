import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { SageMakerClient, StopPipelineExecutionCommand } from '@aws-sdk/client-sagemaker';
import { S3Client } from '../aws/s3.ts';
import type { Aws } from '../aws/session.ts';
import { canonicalJson, requestToken, sha256 } from '../aws/token.ts';
import type { Clock } from '../clock.ts';
import { FailureError, type Status } from '../failure.ts';
import { namesOf, projectTags } from '../names.ts';
import { conclude } from './conclude.ts';
import { type Prepared, prepare } from './prepare.ts';
import type { RunListener, RunReport, RunRequest } from './request.ts';
import { type Started, startOrAttach } from './start.ts';
import { missingFiles, uploadFiles } from './transfer.ts';
import type { UploadFile } from './uploads.ts';
import { applyPipeline, type PipelinePlan, planPipeline, type WantedPipeline } from './upsert.ts';
import { watchExecution } from './watch.ts';

export interface RunDeps {
  aws: Aws;
  clock: Clock;
  signal: AbortSignal;
  listener: RunListener;
}

/** For `catch`: what is not found is most often looked for under a wrong name. */
function withHint(origin: string): (error: unknown) => never {
  return (error) => {
    const [failure] = error instanceof FailureError ? error.failures : [];
    if (failure?.code !== 'NotFound') throw error;
    const hint = `Check \`project-name\`, \`project-id\` and \`aws-region\`: ${origin}`;
    throw new FailureError({ ...failure, hint }, 'failed', { cause: error });
  };
}

async function keyArn(aws: Aws, key: string): Promise<string> {
  if (/^arn:[^:]+:kms:[^:]+:\d{12}:key\//.test(key)) return key;
  const answer = await aws
    .service(KMSClient)
    .send(new DescribeKeyCommand({ KeyId: key }), { resource: key })
    .catch(withHint("the key is made by the project's template, in its own region"));
  return answer.KeyMetadata?.Arn ?? key;
}

/** What AWS holds and what has to be changed in it; found by reading only. */
interface Inspected {
  prepared: Prepared;
  account: string;
  bucket: string;
  kmsKeyArn: string;
  missing: UploadFile[];
  wanted: WantedPipeline;
  plan: PipelinePlan;
  parameters: Record<string, string>;
}

/** All reads come before all writes, so a wrong name, region or permission is told before anything was changed. */
async function inspect(request: RunRequest, { aws, listener }: RunDeps, report: RunReport): Promise<Inspected> {
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
  const s3 = aws.service(S3Client);
  const missing: UploadFile[] = [];
  for (const upload of prepared.uploads) {
    missing.push(...(await missingFiles(s3, upload).catch(withHint("the bucket is made by the project's template"))));
  }
  // After the bucket, whose answer tells a wrong region from a wrong name.
  const kmsKeyArn = await keyArn(aws, request.kmsKey ?? names.keyAlias);
  const roles = {
    pipeline: request.pipelineRole ?? names.role(account, 'pipeline', aws.partition),
    job: request.jobRole ?? names.role(account, 'job', aws.partition),
  };
  const wanted: WantedPipeline = {
    name,
    arn: `arn:${aws.partition}:sagemaker:${region}:${account}:pipeline/${name.toLowerCase()}`,
    definition: prepared.render(roles),
    description: prepared.build.description,
    roleArn: roles.pipeline,
    maxParallelSteps: prepared.build['max-parallel-steps'],
    tags: projectTags(request.project),
  };
  const plan = await planPipeline(aws.service(SageMakerClient), wanted);
  const parameters = prepared.parameters(kmsKeyArn);
  report.pipelineAction = plan.action;
  report.changes = plan.changes;
  report.parameters = parameters;
  return { prepared, account, bucket, kmsKeyArn, missing, wanted, plan, parameters };
}

/** Uploads what the bucket lacks and makes the pipeline what is wanted. */
async function apply(request: RunRequest, deps: RunDeps, inspected: Inspected, report: RunReport): Promise<void> {
  const { aws, clock, listener } = deps;
  const { prepared, missing, wanted, plan } = inspected;
  await uploadFiles(aws.service(S3Client), inspected.bucket, missing, inspected.kmsKeyArn);
  report.uploaded = {
    files: missing.length,
    bytes: missing.reduce((sum, { size }) => sum + size, 0),
    reused: prepared.uploads.flatMap(({ files }) => files).length - missing.length,
  };
  const intent = sha256(
    canonicalJson({ ...identityOf(request, inspected, aws.region), definition: wanted.definition }),
  );
  const { arn, version } = await applyPipeline(
    aws.service(SageMakerClient),
    wanted,
    plan,
    {
      token: requestToken({ runId: request.runId, action: 'create-pipeline', intent, generation: 1 }),
      commit: request.commit,
      note: request.runUrl,
    },
    clock,
  );
  report.pipelineArn = arn;
  report.version = version;
  listener.pipeline(arn, plan.action);
}

function identityOf(request: RunRequest, { wanted, account }: Inspected, region: string) {
  return { runId: request.runId, pipeline: wanted.name, account, region };
}

/** The execution of this run: started, attached or retried. */
async function start(request: RunRequest, deps: RunDeps, inspected: Inspected): Promise<Started> {
  const { aws, clock, signal, listener } = deps;
  const { parameters, plan, wanted } = inspected;
  const sagemaker = aws.service(SageMakerClient);
  const intent = sha256(
    canonicalJson({
      ...identityOf(request, inspected, aws.region),
      parameters,
      selectedSteps: request.selectedSteps ?? null,
      sourceExecution: request.sourceExecution ?? null,
    }),
  );
  const started = await startOrAttach(
    sagemaker,
    {
      pipelineName: wanted.name,
      fresh: plan.action === 'create',
      parameters,
      runId: request.runId,
      intent,
      description: request.runUrl === '' ? `Commit ${request.commit}` : `${request.runUrl} at ${request.commit}`,
      selectedSteps: request.selectedSteps,
      sourceExecution: request.sourceExecution,
    },
    clock,
    signal,
  );
  const { executionArn } = started;
  const token = requestToken({ runId: request.runId, action: 'stop', intent: executionArn, generation: 1 });
  listener.execution(started, async () => {
    await sagemaker.send(
      new StopPipelineExecutionCommand({ PipelineExecutionArn: executionArn, ClientRequestToken: token }),
      { resource: executionArn },
    );
  });
  return started;
}

/**
 * Brings the pipeline up to date, runs it once per run id and answers with what it registered. Throws FailureError; `report`
 * holds what was reached.
 */
export async function runPipeline(request: RunRequest, deps: RunDeps, report: RunReport): Promise<Status> {
  const { aws, clock, signal, listener } = deps;
  const inspected = await inspect(request, deps, report);
  const { account, plan, wanted } = inspected;
  if (request.dryRun) {
    const arn = plan.current?.PipelineArn ?? wanted.arn;
    report.pipelineArn = arn;
    report.dryRun = true;
    listener.planned(arn, plan.action);
    return plan.action === 'unchanged' ? 'unchanged' : '';
  }
  await apply(request, deps, inspected, report);
  const started = await start(request, deps, inspected);
  report.started = started;
  const sagemaker = aws.service(SageMakerClient);
  const state = await watchExecution({
    sagemaker,
    executionArn: started.executionArn,
    region: aws.region,
    account,
    clock,
    signal,
    deadline: request.deadline,
    onStep: listener.step,
  });
  report.state = state;
  return conclude(
    { sagemaker, s3: aws.service(S3Client), logs: aws.service(CloudWatchLogsClient), account, region: aws.region },
    { request, started, state, parameters: inspected.parameters, definition: wanted.definition },
    report,
  );
}
