import { GetObjectCommand } from '@aws-sdk/client-s3';
import type {
  CreatePipelineRequest,
  DeletePipelineRequest,
  DescribePipelineRequest,
  ListPipelinesRequest,
  ListPipelineVersionsRequest,
  PipelineDefinitionS3Location,
  UpdatePipelineRequest,
  UpdatePipelineVersionRequest,
} from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import type { Call, Operation } from '../../../core/service.ts';
import { inWindow, listPage } from '../listing.ts';
import { creation, operation, passRole, permission, permissionOnAll, scopeOf } from '../operation.ts';
import { conflict, reasonOf, resourceNotFound, validationError } from '../problems.ts';
import { keyOf, resolveNameOrArn, sagemakerArn, userContext } from '../scope.ts';
import type { Scoped } from '../scoped.ts';
import { useRole } from '../service-role.ts';
import type { TagStore } from '../tag-store.ts';
import { isRunning } from './execution.ts';
import { latest, type PipelineRecord, type PipelineVersion } from './store.ts';
import { parseDefinition } from './validate.ts';

export type PipelineRegistry = Scoped<Map<string, PipelineRecord>>;

/** The ARN that a pipeline's name (or ARN) stands for in a call. */
export function pipelineArn(call: Call, nameOrArn: string): string {
  const { scope, name } = resolveNameOrArn('pipeline', nameOrArn, scopeOf(call));
  return sagemakerArn(scope, `pipeline/${name}`);
}

export function findPipeline(pipelines: PipelineRegistry, call: Call, nameOrArn: string): PipelineRecord {
  const { scope, name } = resolveNameOrArn('pipeline', nameOrArn, scopeOf(call));
  const here = scope.account === call.account && scope.region === call.region;
  const found = here ? pipelines.of(scope).get(keyOf(name)) : undefined;
  if (found === undefined) throw resourceNotFound(`Pipeline '${pipelineArn(call, nameOrArn)}' does not exist.`);
  return found;
}

export function findVersion(pipeline: PipelineRecord, id: number | undefined): PipelineVersion {
  if (id === undefined) return latest(pipeline);
  const found = pipeline.versions.find((version) => version.id === id);
  if (found === undefined) throw resourceNotFound(`Pipeline '${pipeline.arn}' has no version ${id}.`);
  return found;
}

export function pipelineOperations(
  context: PlatformContext,
  tags: TagStore,
  pipelines: PipelineRegistry,
): Record<string, Operation> {
  /** The definition's text: given, or read from S3 with the pipeline's role. */
  async function readText(
    call: Call,
    arn: string,
    roleArn: string,
    text: string | undefined,
    location: PipelineDefinitionS3Location | undefined,
  ): Promise<string> {
    if ((text === undefined) === (location === undefined)) {
      throw validationError('Exactly one of PipelineDefinition and PipelineDefinitionS3Location must be given.');
    }
    if (text !== undefined) return text;
    const role = useRole(context, { roleArn, scope: scopeOf(call), sourceArn: arn, sessionName: 'SageMaker' });
    const { Bucket, ObjectKey: Key, VersionId } = location as PipelineDefinitionS3Location;
    try {
      const { s3 } = context.clients(role, call.region);
      const answer = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
      return (await answer.Body?.transformToString('utf8')) ?? '';
    } catch (error) {
      throw validationError(
        `Cannot read the pipeline definition at s3://${Bucket}/${Key} with role ${roleArn}: ${reasonOf(error)}`,
      );
    }
  }

  return {
    CreatePipeline: operation<CreatePipelineRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        ...creation('CreatePipeline', pipelineArn(call, input.PipelineName ?? ''), input.Tags),
        passRole(input.RoleArn ?? ''),
      ],
      async handle(input, call) {
        const name = input.PipelineName ?? '';
        const arn = pipelineArn(call, name);
        const registry = pipelines.of(scopeOf(call));
        const existing = () => {
          const found = registry.get(keyOf(name));
          if (found === undefined) return undefined;
          if (found.createToken === input.ClientRequestToken) return { PipelineArn: found.arn };
          throw validationError(
            `Pipeline names must be unique within an AWS account and region. Pipeline with name (${name}) already exists.`,
          );
        };
        const before = existing();
        if (before !== undefined) return before;
        const roleArn = input.RoleArn ?? '';
        const definition = parseDefinition(
          await readText(call, arn, roleArn, input.PipelineDefinition, input.PipelineDefinitionS3Location),
        );
        // Another request may have created it while the definition was read.
        const meanwhile = existing();
        if (meanwhile !== undefined) return meanwhile;
        tags.create(arn, input.Tags);
        const now = context.clock.now();
        registry.set(keyOf(name), {
          name,
          arn,
          ...optional('displayName', input.PipelineDisplayName),
          ...optional('description', input.PipelineDescription),
          roleArn,
          ...optional('parallelism', input.ParallelismConfiguration),
          createdAt: now,
          modifiedAt: now,
          createdBy: userContext(call.principal),
          modifiedBy: userContext(call.principal),
          versions: [{ id: 1, definition, createdAt: now }],
          createToken: input.ClientRequestToken ?? '',
          startedBy: new Map(),
          executions: new Map(),
        });
        return { PipelineArn: arn };
      },
    }),

    UpdatePipeline: operation<UpdatePipelineRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        permission(tags, 'UpdatePipeline', pipelineArn(call, input.PipelineName ?? '')),
        ...(input.RoleArn === undefined ? [] : [passRole(input.RoleArn)]),
      ],
      async handle(input, call) {
        const pipeline = findPipeline(pipelines, call, input.PipelineName ?? '');
        const given = input.PipelineDefinition !== undefined || input.PipelineDefinitionS3Location !== undefined;
        const definition = given
          ? parseDefinition(
              await readText(
                call,
                pipeline.arn,
                input.RoleArn ?? pipeline.roleArn,
                input.PipelineDefinition,
                input.PipelineDefinitionS3Location,
              ),
            )
          : latest(pipeline).definition;
        Object.assign(pipeline, {
          ...optional('displayName', input.PipelineDisplayName),
          ...optional('description', input.PipelineDescription),
          ...optional('roleArn', input.RoleArn),
          ...optional('parallelism', input.ParallelismConfiguration),
          modifiedAt: context.clock.now(),
          modifiedBy: userContext(call.principal),
        });
        const version = { id: latest(pipeline).id + 1, definition, createdAt: context.clock.now() };
        pipeline.versions.push(version);
        return { PipelineArn: pipeline.arn, PipelineVersionId: version.id };
      },
    }),

    DescribePipeline: operation<DescribePipelineRequest, unknown>({
      mutating: false,
      authorize: (input, call) => [
        permission(tags, 'DescribePipeline', pipelineArn(call, input.PipelineName ?? ''), {
          ...(input.PipelineVersionId === undefined ? {} : { 'sagemaker:PipelineVersionId': input.PipelineVersionId }),
        }),
      ],
      handle(input, call) {
        const pipeline = findPipeline(pipelines, call, input.PipelineName ?? '');
        const version = findVersion(pipeline, input.PipelineVersionId);
        return {
          PipelineArn: pipeline.arn,
          PipelineName: pipeline.name,
          PipelineDisplayName: pipeline.displayName ?? pipeline.name,
          PipelineDefinition: version.definition.text,
          PipelineDescription: pipeline.description,
          RoleArn: pipeline.roleArn,
          PipelineStatus: 'Active',
          CreationTime: pipeline.createdAt,
          LastModifiedTime: pipeline.modifiedAt,
          LastRunTime: pipeline.lastRunAt,
          CreatedBy: pipeline.createdBy,
          LastModifiedBy: pipeline.modifiedBy,
          ParallelismConfiguration: pipeline.parallelism,
          PipelineVersionDisplayName: version.displayName,
          PipelineVersionDescription: version.description,
        };
      },
    }),

    DeletePipeline: operation<DeletePipelineRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [permission(tags, 'DeletePipeline', pipelineArn(call, input.PipelineName ?? ''))],
      handle(input, call) {
        const pipeline = findPipeline(pipelines, call, input.PipelineName ?? '');
        const running = [...pipeline.executions.values()].find(isRunning);
        if (running !== undefined) {
          throw conflict(
            `Pipeline '${pipeline.name}' cannot be deleted while ${running.arn} is in status ${running.status}.`,
          );
        }
        for (const execution of pipeline.executions.values()) tags.remove(execution.arn);
        tags.remove(pipeline.arn);
        pipelines.of(scopeOf(call)).delete(keyOf(pipeline.name));
        return { PipelineArn: pipeline.arn };
      },
    }),

    ListPipelines: operation<ListPipelinesRequest, unknown>({
      mutating: false,
      authorize: () => [permissionOnAll('ListPipelines')],
      handle(input, call) {
        const prefix = keyOf(input.PipelineNamePrefix ?? '');
        const matching = [...pipelines.of(scopeOf(call)).values()].filter(
          (pipeline) =>
            keyOf(pipeline.name).startsWith(prefix) &&
            inWindow(pipeline.createdAt, input.CreatedAfter, input.CreatedBefore),
        );
        const { items, NextToken } = listPage(matching, input, {
          sortBy: (pipeline) => (input.SortBy === 'Name' ? pipeline.name : pipeline.createdAt),
          id: (pipeline) => pipeline.name,
          defaultOrder: 'Descending',
        });
        return {
          PipelineSummaries: items.map((pipeline) => ({
            PipelineArn: pipeline.arn,
            PipelineName: pipeline.name,
            PipelineDisplayName: pipeline.displayName ?? pipeline.name,
            PipelineDescription: pipeline.description,
            RoleArn: pipeline.roleArn,
            CreationTime: pipeline.createdAt,
            LastModifiedTime: pipeline.modifiedAt,
            LastExecutionTime: pipeline.lastRunAt,
          })),
          NextToken,
        };
      },
    }),

    ListPipelineVersions: operation<ListPipelineVersionsRequest, unknown>({
      mutating: false,
      authorize: (input, call) => [
        permission(tags, 'ListPipelineVersions', pipelineArn(call, input.PipelineName ?? '')),
      ],
      handle(input, call) {
        const pipeline = findPipeline(pipelines, call, input.PipelineName ?? '');
        const { items, NextToken } = listPage(
          pipeline.versions.filter((version) => inWindow(version.createdAt, input.CreatedAfter, input.CreatedBefore)),
          input,
          { sortBy: (version) => version.id, id: (version) => String(version.id), defaultOrder: 'Descending' },
        );
        return {
          PipelineVersionSummaries: items.map((version) => ({
            PipelineArn: pipeline.arn,
            PipelineVersionId: version.id,
            CreationTime: version.createdAt,
            PipelineVersionDescription: version.description,
            PipelineVersionDisplayName: version.displayName,
            LastExecutionPipelineExecutionArn: version.lastExecutionArn,
          })),
          NextToken,
        };
      },
    }),

    UpdatePipelineVersion: operation<UpdatePipelineVersionRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        permission(tags, 'UpdatePipelineVersion', pipelineArn(call, input.PipelineArn ?? ''), {
          'sagemaker:PipelineVersionId': input.PipelineVersionId ?? 0,
        }),
      ],
      handle(input, call) {
        const pipeline = findPipeline(pipelines, call, input.PipelineArn ?? '');
        const version = findVersion(pipeline, input.PipelineVersionId);
        Object.assign(version, {
          ...optional('displayName', input.PipelineVersionDisplayName),
          ...optional('description', input.PipelineVersionDescription),
        });
        return { PipelineArn: pipeline.arn, PipelineVersionId: version.id };
      },
    }),
  };
}

/** A member that is only there when it has a value: what an update does not send stays as it is. */
export function optional<Key extends string, T>(key: Key, value: T | undefined): { [K in Key]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: T };
}
