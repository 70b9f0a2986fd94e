import {
  AddTagsCommand,
  CreatePipelineCommand,
  DescribePipelineCommand,
  type DescribePipelineResponse,
  ListPipelineVersionsCommand,
  ListTagsCommand,
  UpdatePipelineCommand,
  type UpdatePipelineCommandInput,
  UpdatePipelineVersionCommand,
} from '@aws-sdk/client-sagemaker';
import { isAws, isNotFound } from '../aws/errors.ts';
import type { Service } from '../aws/session.ts';
import { canonicalJson } from '../aws/token.ts';
import type { Clock } from '../clock.ts';
import { FailureError } from '../failure.ts';
import type { Definition } from './definition.ts';
import { type Change, compareJson } from './diff.ts';

export interface WantedPipeline {
  name: string;
  arn: string;
  definition: Definition;
  description: string | undefined;
  roleArn: string;
  maxParallelSteps: number | undefined;
  /** Ours; tags that others added stay. */
  tags: Readonly<Record<string, string>>;
}

export interface PipelinePlan {
  action: 'create' | 'update' | 'unchanged';
  changes: Change[];
  missingTags: Record<string, string>;
  /** Version to label when an earlier run was cut off between update and label. */
  current: DescribePipelineResponse | undefined;
}

/** Tag that says whose pipeline it is. */
export const ownerTag = 'sagemaker:project-id';

async function describe(sagemaker: Service, name: string): Promise<DescribePipelineResponse | undefined> {
  try {
    return await sagemaker.send(new DescribePipelineCommand({ PipelineName: name }), { resource: name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function tagsOf(sagemaker: Service, arn: string): Promise<Map<string, string>> {
  const tags = new Map<string, string>();
  let token: string | undefined;
  do {
    const page = await sagemaker.send(
      new ListTagsCommand({ ResourceArn: arn, ...(token === undefined ? {} : { NextToken: token }) }),
      { resource: arn },
    );
    for (const { Key, Value } of page.Tags ?? []) tags.set(Key ?? '', Value ?? '');
    token = page.NextToken;
  } while (token !== undefined);
  return tags;
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return text;
  }
}

/** Compares what AWS has with what is wanted. Reads only. Definitions are compared as JSON values, so formatting is no difference. */
export async function planPipeline(sagemaker: Service, wanted: WantedPipeline): Promise<PipelinePlan> {
  const current = await describe(sagemaker, wanted.name);
  if (current === undefined) {
    return { action: 'create', changes: [], missingTags: {}, current };
  }
  const tags = await tagsOf(sagemaker, current.PipelineArn ?? wanted.arn);
  const owner = tags.get(ownerTag);
  if (owner !== undefined && owner !== wanted.tags[ownerTag]) {
    throw new FailureError({
      code: 'NotOwned',
      resource: current.PipelineArn ?? wanted.arn,
      cause: `The pipeline ${wanted.name} belongs to project ${owner}, not to ${wanted.tags[ownerTag]}`,
      hint: 'Give another `pipeline-name`',
    });
  }
  const missingTags = Object.fromEntries(Object.entries(wanted.tags).filter(([key, value]) => tags.get(key) !== value));
  const before = {
    definition: parsed(current.PipelineDefinition),
    role: current.RoleArn,
    description: current.PipelineDescription ?? '',
    parallelism:
      wanted.maxParallelSteps === undefined ? undefined : current.ParallelismConfiguration?.MaxParallelExecutionSteps,
  };
  const after = {
    definition: wanted.definition,
    role: wanted.roleArn,
    description: wanted.description ?? '',
    parallelism: wanted.maxParallelSteps,
  };
  const equal = canonicalJson(before) === canonicalJson(after);
  const changes = equal
    ? []
    : [
        ...compareJson(before.definition, after.definition),
        ...compareJson(
          { role: before.role, description: before.description, parallelism: before.parallelism },
          { role: after.role, description: after.description, parallelism: after.parallelism },
        ),
      ];
  return { action: equal ? 'unchanged' : 'update', changes, missingTags, current };
}

async function newestVersion(sagemaker: Service, name: string) {
  const page = await sagemaker.send(
    new ListPipelineVersionsCommand({ PipelineName: name, SortOrder: 'Descending', MaxResults: 1 }),
    { resource: name },
  );
  return page.PipelineVersionSummaries?.[0];
}

/** What the service itself finds wrong with a definition is told as such; any other error stays what it is. */
function asDefinitionProblem(error: unknown, wanted: WantedPipeline): unknown {
  if (!isAws(error, 'ValidationException')) return error;
  const [failure] = error.failures;
  return new FailureError(
    { ...failure, code: 'InvalidDefinition', resource: wanted.arn, cause: error.awsMessage },
    'failed',
    { cause: error },
  );
}

/** What may have been lost on the way there or back. */
const ambiguous = ['NetworkError', 'ServiceError', 'Throttled'];

/**
 * UpdatePipeline takes no token and every call makes a version, so a repetition after a lost answer would make two. Hence: once,
 * then look. Returns the version, undefined when only looking told that it is done.
 */
async function updateOnce(
  sagemaker: Service,
  wanted: WantedPipeline,
  input: UpdatePipelineCommandInput,
  clock: Clock,
): Promise<number | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await sagemaker.send(new UpdatePipelineCommand(input), { resource: wanted.arn, once: true });
      return answer.PipelineVersionId;
    } catch (error) {
      const code = error instanceof FailureError ? error.failures[0]?.code : undefined;
      if (attempt === 5 || !ambiguous.includes(code ?? '')) throw error;
      await clock.sleep(500 * 2 ** attempt * (0.5 + Math.random()));
      if ((await planPipeline(sagemaker, wanted)).action === 'unchanged') return undefined;
    }
  }
}

/**
 * Makes it so and labels the version with the commit. Returns the pipeline's ARN and the version's id. An unchanged pipeline is
 * not touched, except for a label that an earlier run was cut off before writing.
 */
export async function applyPipeline(
  sagemaker: Service,
  wanted: WantedPipeline,
  plan: PipelinePlan,
  { token, commit, note }: { token: string; commit: string; note: string },
  clock: Clock,
): Promise<{ arn: string; version: number | undefined }> {
  const common = {
    PipelineName: wanted.name,
    PipelineDefinition: JSON.stringify(wanted.definition),
    RoleArn: wanted.roleArn,
    PipelineDescription: wanted.description ?? '',
    ...(wanted.maxParallelSteps === undefined
      ? {}
      : { ParallelismConfiguration: { MaxParallelExecutionSteps: wanted.maxParallelSteps } }),
  };
  const tagList = (tags: Readonly<Record<string, string>>) =>
    Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  let arn = plan.current?.PipelineArn ?? wanted.arn;
  let version: number | undefined;
  if (plan.action === 'create') {
    const { PipelineDescription, ...rest } = common;
    try {
      const answer = await sagemaker.send(
        new CreatePipelineCommand({
          ...rest,
          ...(PipelineDescription === '' ? {} : { PipelineDescription }),
          ClientRequestToken: token,
          Tags: tagList(wanted.tags),
        }),
        { resource: wanted.arn },
      );
      arn = answer.PipelineArn ?? arn;
    } catch (error) {
      // Another run was faster; ours then updates what that one made.
      const exists =
        isAws(error, 'ConflictException', 'ResourceInUse') || /already exist/i.test((error as Error).message);
      if (!exists) throw asDefinitionProblem(error, wanted);
      return applyPipeline(sagemaker, wanted, await planPipeline(sagemaker, wanted), { token, commit, note }, clock);
    }
  } else if (plan.action === 'update') {
    version = await updateOnce(sagemaker, wanted, common, clock).catch((error: unknown) => {
      throw asDefinitionProblem(error, wanted);
    });
  }
  if (Object.keys(plan.missingTags).length > 0) {
    await sagemaker.send(new AddTagsCommand({ ResourceArn: arn, Tags: tagList(plan.missingTags) }), { resource: arn });
  }
  let label: string | undefined;
  if (version === undefined) {
    const newest = await newestVersion(sagemaker, wanted.name);
    version = newest?.PipelineVersionId;
    label = newest?.PipelineVersionDisplayName;
  }
  if (version !== undefined && commit !== '' && (label === undefined || label === '')) {
    await sagemaker.send(
      new UpdatePipelineVersionCommand({
        PipelineArn: arn,
        PipelineVersionId: version,
        PipelineVersionDisplayName: commit,
        PipelineVersionDescription: note,
      }),
      { resource: arn },
    );
  }
  return { arn, version };
}
