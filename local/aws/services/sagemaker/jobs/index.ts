import type {
  CreateProcessingJobRequest,
  CreateTrainingJobRequest,
  CreateTransformJobRequest,
} from '@aws-sdk/client-sagemaker';
import type { ModelContainer, PlatformContext } from '../../../core/context.ts';
import { AwsError } from '../../../core/errors.ts';
import type { Call, Operation } from '../../../core/service.ts';
import { inWindow, listPage, nameContains } from '../listing.ts';
import { creation, operation, passRole, permission, permissionOnAll, scopeOf } from '../operation.ts';
import { resourceNotFound, validationError } from '../problems.ts';
import { keyOf, type Scope, sagemakerArn } from '../scope.ts';
import { type Scoped, scoped } from '../scoped.ts';
import { useRole } from '../service-role.ts';
import type { TagStore } from '../tag-store.ts';
import { processingConditions, trainingConditions, transformConditions } from './conditions.ts';
import { checkRunnable, checkUnused, startJob } from './lifecycle.ts';
import { hasEnded, type JobKind, type JobRecord, jobNoun, jobResource } from './record.ts';
import * as views from './views.ts';

/** What a transform job needs to know of its model; throws ValidationException when there is no such model. */
export type FindModel = (
  scope: Scope,
  name: string,
) => { arn: string; executionRoleArn: string; container: ModelContainer };

export interface Jobs {
  operations: Record<string, Operation>;
  /**
   * A processing job that SageMaker starts by itself for a monitoring schedule, with the role of the request. Throws ValidationException for a role
   * that it cannot take, NotImplemented for a job that cannot run here.
   */
  startProcessing(scope: Scope, name: string, request: CreateProcessingJobRequest, scheduleArn: string): JobRecord;
  /** Resolves when the job has ended; at once for an unknown one. */
  ended(arn: string, scope: Scope): Promise<void>;
}

type Registry = Scoped<Map<string, JobRecord>>;

export function createJobs(context: PlatformContext, tags: TagStore, findModel: FindModel): Jobs {
  const registries: Record<JobKind, Registry> = {
    ProcessingJob: scoped(() => new Map()),
    TrainingJob: scoped(() => new Map()),
    TransformJob: scoped(() => new Map()),
  };
  const arnOf = (kind: JobKind, call: Call, name: string) =>
    sagemakerArn(scopeOf(call), `${jobResource[kind]}/${name}`);

  function find(kind: JobKind, call: Call, name: string): JobRecord {
    const job = registries[kind].of(scopeOf(call)).get(keyOf(name));
    if (job === undefined) {
      throw resourceNotFound(`Requested resource not found: ${jobNoun[kind]} ${name} in ${call.region}.`);
    }
    return job;
  }

  /** The part that all three Create operations share, after their own checks. */
  function create(
    kind: JobKind,
    scope: Scope,
    name: string,
    request: Record<string, any>,
    roleArn: string,
    model?: ModelContainer,
  ): JobRecord {
    const jobs = registries[kind].of(scope);
    const arn = sagemakerArn(scope, `${jobResource[kind]}/${name}`);
    checkUnused(jobs.get(keyOf(name)));
    const credentials = useRole(context, { roleArn, scope, sourceArn: arn, sessionName: 'SageMaker' });
    const order = { kind, scope, name, request, credentials, ...(model === undefined ? {} : { model }) };
    checkRunnable(context, order);
    tags.create(arn, request['Tags']);
    const job = startJob(context, order);
    jobs.set(keyOf(name), job);
    return job;
  }

  /** Describe, Stop and List look alike for all kinds; the views and the names of members differ. */
  function common(
    kind: JobKind,
    describe: (job: JobRecord) => unknown,
    summary: (job: JobRecord) => unknown,
  ): Record<string, Operation> {
    const nameMember = `${kind}Name`;
    return {
      [`Describe${kind}`]: operation<Record<string, any>, unknown>({
        mutating: false,
        authorize: (input, call) => [permission(tags, `Describe${kind}`, arnOf(kind, call, input[nameMember]))],
        handle: (input, call) => describe(find(kind, call, input[nameMember])),
      }),
      [`Stop${kind}`]: operation<Record<string, any>, unknown>({
        mutating: true,
        authorize: (input, call) => [permission(tags, `Stop${kind}`, arnOf(kind, call, input[nameMember]))],
        handle(input, call) {
          const job = find(kind, call, input[nameMember]);
          if (hasEnded(job.status)) {
            throw validationError(
              `The request was rejected because the ${jobNoun[kind]} ${job.name} is in status ${job.status}.`,
            );
          }
          job.requestStop();
          return {};
        },
      }),
      [`List${kind}s`]: operation<Record<string, any>, unknown>({
        mutating: false,
        authorize: () => [permissionOnAll(`List${kind}s`)],
        handle(input, call) {
          const matching = [...registries[kind].of(scopeOf(call)).values()].filter(
            (job) =>
              nameContains(job.name, input['NameContains']) &&
              (input['StatusEquals'] === undefined || job.status === input['StatusEquals']) &&
              inWindow(job.createdAt, input['CreationTimeAfter'], input['CreationTimeBefore']) &&
              inWindow(job.modifiedAt, input['LastModifiedTimeAfter'], input['LastModifiedTimeBefore']),
          );
          const { items, NextToken } = listPage(matching, input, {
            sortBy: (job) =>
              input['SortBy'] === 'Name' ? job.name : input['SortBy'] === 'Status' ? job.status : job.createdAt,
            id: (job) => job.name,
            defaultOrder: 'Descending',
          });
          return { [`${kind}Summaries`]: items.map(summary), NextToken };
        },
      }),
    };
  }

  const deletion = (kind: JobKind): Operation =>
    operation<Record<string, any>, unknown>({
      mutating: true,
      authorize: (input, call) => [permission(tags, `Delete${kind}`, arnOf(kind, call, input[`${kind}Name`]))],
      handle(input, call) {
        const job = find(kind, call, input[`${kind}Name`]);
        if (!hasEnded(job.status)) {
          throw new AwsError(
            'ResourceInUse',
            `The ${jobNoun[kind]} ${job.name} cannot be deleted in status ${job.status}.`,
          );
        }
        registries[kind].of(scopeOf(call)).delete(keyOf(job.name));
        tags.remove(job.arn);
        return {};
      },
    });

  const operations: Record<string, Operation> = {
    CreateProcessingJob: operation<CreateProcessingJobRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        ...creation(
          'CreateProcessingJob',
          arnOf('ProcessingJob', call, input.ProcessingJobName ?? ''),
          input.Tags,
          processingConditions(input),
        ),
        passRole(input.RoleArn ?? ''),
      ],
      handle: (input, call) => ({
        ProcessingJobArn: create(
          'ProcessingJob',
          scopeOf(call),
          input.ProcessingJobName ?? '',
          input,
          input.RoleArn ?? '',
        ).arn,
      }),
    }),
    CreateTrainingJob: operation<CreateTrainingJobRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        ...creation(
          'CreateTrainingJob',
          arnOf('TrainingJob', call, input.TrainingJobName ?? ''),
          input.Tags,
          trainingConditions(input),
        ),
        passRole(input.RoleArn ?? ''),
      ],
      handle: (input, call) => ({
        TrainingJobArn: create('TrainingJob', scopeOf(call), input.TrainingJobName ?? '', input, input.RoleArn ?? '')
          .arn,
      }),
    }),
    CreateTransformJob: operation<CreateTransformJobRequest, unknown>({
      mutating: true,
      authorize: (input, call) =>
        creation(
          'CreateTransformJob',
          arnOf('TransformJob', call, input.TransformJobName ?? ''),
          input.Tags,
          transformConditions(input, sagemakerArn(scopeOf(call), `model/${input.ModelName}`)),
        ),
      handle(input, call) {
        const { executionRoleArn, container } = findModel(scopeOf(call), input.ModelName ?? '');
        const job = create(
          'TransformJob',
          scopeOf(call),
          input.TransformJobName ?? '',
          input,
          executionRoleArn,
          container,
        );
        return { TransformJobArn: job.arn };
      },
    }),
    // The record goes; what the job wrote stays. Transform jobs have no such operation.
    DeleteProcessingJob: deletion('ProcessingJob'),
    DeleteTrainingJob: deletion('TrainingJob'),
    ...common('ProcessingJob', views.describeProcessing, views.summarizeProcessing),
    ...common('TrainingJob', views.describeTraining, views.summarizeTraining),
    ...common('TransformJob', views.describeTransform, views.summarizeTransform),
  };

  return {
    operations,
    startProcessing: (scope, name, request, scheduleArn) =>
      Object.assign(create('ProcessingJob', scope, name, request, request.RoleArn ?? ''), { scheduleArn }),
    async ended(arn, scope) {
      for (const registry of Object.values(registries)) {
        for (const job of registry.of(scope).values()) if (keyOf(job.arn) === keyOf(arn)) return job.ended;
      }
    },
  };
}
