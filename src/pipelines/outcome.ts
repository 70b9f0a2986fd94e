import { DescribeModelPackageCommand, type PipelineExecutionStep } from '@aws-sdk/client-sagemaker';
import { consoleUrl } from '../aws/partition.ts';
import { readJson } from '../aws/s3.ts';
import type { Service } from '../aws/session.ts';
import type { Failure } from '../failure.ts';
import { flattenMetrics } from '../metrics.ts';
import { allSteps, type Definition } from './definition.ts';
import { describeCondition, type Scope } from './expressions.ts';
import { describeJob, type Job, jobOf, logGroupOf, logTail } from './jobs.ts';
import type { ExecutionState } from './watch.ts';

export interface OutcomeDeps {
  sagemaker: Service;
  s3: Service;
  logs: Service;
  account: string;
  region: string;
}

/** What the service's words usually mean. */
const hints: readonly [RegExp, string][] = [
  [
    /account-level service limit.*is 0 Instances/i,
    'This instance type has no quota yet: request it in Service Quotas, or choose another type',
  ],
  [/service limit|ResourceLimitExceeded/i, 'Wait for other jobs to end, or request a higher quota'],
  [
    /CapacityError|InsufficientCapacity|InternalServerError.*capacity/i,
    'AWS has no such instance free just now: re-run this job, or choose another instance type',
  ],
  [/AddTags/i, 'The pipeline role needs sagemaker:AddTags on the jobs of its pipelines'],
  [
    /AccessDenied|not authorized|Access ?Denied|403/i,
    'Check the permissions of the pipeline role and of the job role on what the message names',
  ],
  [/KMS/i, 'The job role needs the project key'],
  [/NoSuchKey|NoSuchBucket|No S3 objects found|404/i, 'The data or model that the step reads is not there'],
  [
    /image|CannotPullContainer|repository.*does not exist/i,
    'Check the image URI and that its registry is of this region',
  ],
];

function hintFor(cause: string): { hint?: string } {
  const hint = hints.find(([pattern]) => pattern.test(cause))?.[1];
  return hint === undefined ? {} : { hint };
}

function logsUrl(deps: OutcomeDeps, job: Job): { console?: string } {
  const group = logGroupOf(job.kind);
  const url =
    group === undefined
      ? undefined
      : consoleUrl(
          deps.region,
          `cloudwatch/home?region=${deps.region}#logsV2:log-groups/log-group/${encodeURIComponent(group).replaceAll('%', '$25')}$3FlogStreamNameFilter$3D${job.name}`,
        );
  return url === undefined ? {} : { console: url };
}

/** Every job of the execution by step name; cached steps have none of their own. */
export async function describeJobs(
  deps: OutcomeDeps,
  steps: readonly PipelineExecutionStep[],
): Promise<Map<string, Job>> {
  const jobs = new Map<string, Job>();
  await Promise.all(
    steps.map(async (step) => {
      const job = jobOf(step);
      if (job === undefined) return;
      try {
        jobs.set(step.StepName ?? '', await describeJob(deps.sagemaker, job));
      } catch {
        // The report is better without one line than not there at all.
      }
    }),
  );
  return jobs;
}

async function stepFailure(
  deps: OutcomeDeps,
  step: PipelineExecutionStep,
  jobs: ReadonlyMap<string, Job>,
): Promise<Failure> {
  const job = jobs.get(step.StepName ?? '');
  const words = [job?.failureReason, job?.exitMessage].filter((text) => text !== undefined && text !== '').join('; ');
  const cause = words || step.Metadata?.Fail?.ErrorMessage || step.FailureReason || 'The service gave no reason';
  const tail = job === undefined ? [] : await logTail(deps.logs, job);
  return {
    code: 'StepFailed',
    account: deps.account,
    region: deps.region,
    resource: job?.arn ?? step.StepName ?? '',
    logicalId: step.StepName ?? '',
    cause,
    ...hintFor(cause),
    ...(job === undefined ? {} : logsUrl(deps, job)),
    ...(tail.length === 0 ? {} : { logTail: tail }),
  };
}

/** The conditions that came out false, with the values that decided. */
export async function unmetConditions(
  deps: OutcomeDeps,
  executionArn: string,
  definition: Definition,
  parameters: Readonly<Record<string, string>>,
  steps: readonly PipelineExecutionStep[],
  jobs: ReadonlyMap<string, Job>,
): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const step of steps.filter(({ Metadata }) => Metadata?.Condition?.Outcome?.toLowerCase() === 'false')) {
    const found = allSteps(definition).find((entry) => entry.step.Name === step.StepName)?.step;
    const scope: Scope = {
      definition,
      parameters,
      steps,
      outputUri: async (name, output) => jobs.get(name)?.outputs[output],
      readJson: (uri) => readJson(deps.s3, uri),
    };
    const conditions = await Promise.all(
      ((found?.Arguments?.Conditions ?? []) as unknown[]).map((condition) => describeCondition(condition, scope)),
    );
    // Of several conditions, those that hold are not to blame.
    const blamed = conditions.filter((condition) => condition.holds !== true);
    const texts = (blamed.length > 0 ? blamed : conditions).map(({ text }) => `${text} is not true`);
    failures.push({
      code: 'ConditionNotMet',
      account: deps.account,
      region: deps.region,
      resource: executionArn,
      logicalId: step.StepName ?? '',
      cause: `Condition ${step.StepName} was not met: ${texts.join('; ') || 'its values are unknown'}`,
    });
  }
  return failures;
}

/** Why an execution did not end well: each failed step with its job's own words, conditions with their values. */
export async function explain(
  deps: OutcomeDeps,
  executionArn: string,
  state: ExecutionState,
  definition: Definition,
  parameters: Readonly<Record<string, string>>,
  jobs: ReadonlyMap<string, Job>,
): Promise<Failure[]> {
  const here = { account: deps.account, region: deps.region, resource: executionArn };
  if (state.status === 'Stopped') {
    return [
      {
        code: 'ExecutionStopped',
        ...here,
        cause: 'The execution was stopped',
        hint: 'Re-run this job to start it again',
      },
    ];
  }
  const failed = state.steps.filter(({ StepStatus }) => StepStatus === 'Failed');
  const conditions = await unmetConditions(deps, executionArn, definition, parameters, state.steps, jobs);
  // A Fail step only says that its condition was not met, in the author's words.
  const isFail = (step: PipelineExecutionStep) => step.Metadata?.Fail !== undefined;
  const messages = failed.filter(isFail).map(({ Metadata }) => Metadata?.Fail?.ErrorMessage ?? '');
  const failures = [
    ...conditions.map((failure) => (messages.length === 0 ? failure : { ...failure, hint: messages.join('; ') })),
    ...(await Promise.all(
      failed.filter((step) => !(isFail(step) && conditions.length > 0)).map((step) => stepFailure(deps, step, jobs)),
    )),
  ];
  if (failures.length > 0) return failures;
  return [
    {
      code: 'ExecutionFailed',
      ...here,
      cause: state.failureReason ?? `The execution ended as ${state.status}`,
      ...hintFor(state.failureReason ?? ''),
    },
  ];
}

export interface RegisteredPackage {
  arn: string;
  modelDataUrl: string;
  approvalStatus: string;
  metrics: Record<string, number>;
  metricsUri: string | undefined;
}

/** The packages that this execution registered, by the ARN its own steps carry; never "the newest one". */
export function packageArns(steps: readonly PipelineExecutionStep[]): string[] {
  return steps
    .filter(({ StepStatus }) => StepStatus === 'Succeeded')
    .map(({ Metadata }) => Metadata?.RegisterModel?.Arn)
    .filter((arn) => arn !== undefined);
}

export async function describePackage(deps: OutcomeDeps, arn: string): Promise<RegisteredPackage> {
  const answer = await deps.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }), {
    resource: arn,
  });
  const metricsUri = answer.ModelMetrics?.ModelQuality?.Statistics?.S3Uri;
  return {
    arn: answer.ModelPackageArn ?? arn,
    modelDataUrl: answer.InferenceSpecification?.Containers?.[0]?.ModelDataUrl ?? '',
    approvalStatus: answer.ModelApprovalStatus ?? '',
    metrics: metricsUri === undefined ? {} : flattenMetrics(await readJson(deps.s3, metricsUri)),
    metricsUri,
  };
}
