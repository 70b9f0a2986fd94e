import type {
  DescribePipelineDefinitionForExecutionRequest,
  DescribePipelineExecutionRequest,
  ListPipelineExecutionStepsRequest,
  ListPipelineExecutionsRequest,
  ListPipelineParametersForExecutionRequest,
  RetryPipelineExecutionRequest,
  StartPipelineExecutionRequest,
  StopPipelineExecutionRequest,
  UpdatePipelineExecutionRequest,
} from '@aws-sdk/client-sagemaker';
import type { PlatformContext } from '../../../core/context.ts';
import { NotImplementedError } from '../../../core/errors.ts';
import type { Call, Operation } from '../../../core/service.ts';
import { inWindow, listPage } from '../listing.ts';
import { operation, permission, scopeOf } from '../operation.ts';
import { conflict, resourceNotFound, validationError } from '../problems.ts';
import { keyOf, userContext } from '../scope.ts';
import type { TagStore } from '../tag-store.ts';
import type { Engine } from './engine.ts';
import { EvaluationError, evaluate } from './evaluate.ts';
import { describeStep, type ExecutionRecord, isRunning } from './execution.ts';
import { bindParameters, formatScalar } from './parameters.ts';
import { findPipeline, findVersion, optional, type PipelineRegistry, pipelineArn } from './pipeline-operations.ts';
import { checkRunnable } from './runnable.ts';
import { selectSteps } from './selection.ts';
import { randomName } from './step-runner.ts';
import { readsNothing, stepScope } from './step-scope.ts';
import type { PipelineRecord } from './store.ts';

const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

export function executionOperations(
  context: PlatformContext,
  tags: TagStore,
  pipelines: PipelineRegistry,
  engine: Engine,
): Record<string, Operation> {
  function find(call: Call, arn: string): { pipeline: PipelineRecord; execution: ExecutionRecord } {
    for (const pipeline of pipelines.of(scopeOf(call)).values()) {
      const execution = pipeline.executions.get(keyOf(arn));
      if (execution !== undefined) return { pipeline, execution };
    }
    throw resourceNotFound(`Pipeline execution with ARN '${arn}' does not exist.`);
  }

  const onExecution = (action: string) => (input: { PipelineExecutionArn?: string | undefined }) => {
    // The model leaves it optional for one of the operations; without it nothing could be found.
    if (input.PipelineExecutionArn === undefined) throw validationError('PipelineExecutionArn is required.');
    return [permission(tags, action, input.PipelineExecutionArn)];
  };

  /** Parameters of a selective execution are those of its source, unless they are given anew. */
  function parameterInput(input: StartPipelineExecutionRequest, source: ExecutionRecord | undefined) {
    const given = input.PipelineParameters ?? [];
    const inherited = source === undefined ? [] : parameterList(source);
    return [...inherited.filter(({ Name }) => !given.some((each) => each.Name === Name)), ...given];
  }

  async function start(input: StartPipelineExecutionRequest, call: Call): Promise<ExecutionRecord> {
    const pipeline = findPipeline(pipelines, call, input.PipelineName ?? '');
    const token = input.ClientRequestToken ?? '';
    const before = pipeline.startedBy.get(token);
    if (before !== undefined) return before;
    if (input.MlflowExperimentName !== undefined) throw new NotImplementedError('MlflowExperimentName');
    const version = findVersion(pipeline, input.PipelineVersionId);
    const config = input.SelectiveExecutionConfig;
    const source =
      config?.SourcePipelineExecutionArn === undefined
        ? undefined
        : pipeline.executions.get(keyOf(config.SourcePipelineExecutionArn));
    if (config?.SourcePipelineExecutionArn !== undefined && source === undefined) {
      throw validationError(
        `Invalid SourcePipelineExecutionArn: ${config.SourcePipelineExecutionArn} is no execution of ${pipeline.arn}`,
      );
    }
    if (source !== undefined && isRunning(source)) {
      throw validationError(`Invalid SourcePipelineExecutionArn: ${source.arn} is still in status ${source.status}`);
    }
    const { values, problems } = bindParameters(version.definition.parameters, parameterInput(input, source));
    if (problems.length > 0) throw validationError(problems.join('; '));

    const id = randomName(12, idAlphabet);
    const now = context.clock.now();
    const parallelism = input.ParallelismConfiguration ?? pipeline.parallelism;
    const steps = (config?.SelectedSteps ?? []).map((step) => step.StepName ?? '');
    const execution: ExecutionRecord = {
      arn: `${pipeline.arn}/execution/${id}`,
      id,
      scope: scopeOf(call),
      pipelineArn: pipeline.arn,
      pipelineName: pipeline.name,
      versionId: version.id,
      roleArn: pipeline.roleArn,
      definition: version.definition,
      parameters: values,
      experiment: {},
      displayName: input.PipelineExecutionDisplayName ?? `execution-${now.getTime()}`,
      ...optional('description', input.PipelineExecutionDescription),
      status: 'Executing',
      createdAt: now,
      modifiedAt: now,
      createdBy: userContext(call.principal),
      modifiedBy: userContext(call.principal),
      ...optional('parallelism', parallelism),
      ...(config === undefined ? {} : { selection: { steps, ...optional('source', source) } }),
      steps: new Map(),
      tokens: new Set(),
      ended: Promise.resolve(),
    };
    if (config !== undefined) {
      for (const record of selectSteps(version.definition, steps, source)) {
        execution.steps.set(record.definition.name, record);
      }
    }
    execution.experiment = await experimentOf(execution);
    await checkRunnable(execution, context.jobs, context.clock);
    // The same request may have come a second time while this one was checked.
    const meanwhile = pipeline.startedBy.get(token);
    if (meanwhile !== undefined) return meanwhile;
    if (findPipeline(pipelines, call, pipeline.name) !== pipeline) {
      throw conflict(`Pipeline '${pipeline.arn}' was replaced while this execution was checked.`);
    }
    pipeline.startedBy.set(token, execution);
    pipeline.executions.set(keyOf(execution.arn), execution);
    pipeline.lastRunAt = now;
    version.lastExecutionArn = execution.arn;
    tags.create(execution.arn);
    engine.run(execution);
    return execution;
  }

  async function experimentOf(execution: ExecutionRecord): Promise<ExecutionRecord['experiment']> {
    const { experiment } = execution.definition;
    if (experiment === undefined) return {};
    try {
      const scope = stepScope(execution, context.clock, readsNothing, undefined);
      return (await evaluate(experiment, scope)) as ExecutionRecord['experiment'];
    } catch (error) {
      if (error instanceof EvaluationError) throw validationError(`PipelineExperimentConfig: ${error.message}`);
      throw error;
    }
  }

  return {
    StartPipelineExecution: operation<StartPipelineExecutionRequest, unknown>({
      mutating: true,
      authorize: (input, call) => [
        permission(tags, 'StartPipelineExecution', pipelineArn(call, input.PipelineName ?? ''), {
          ...(input.PipelineVersionId === undefined ? {} : { 'sagemaker:PipelineVersionId': input.PipelineVersionId }),
        }),
      ],
      handle: async (input, call) => ({ PipelineExecutionArn: (await start(input, call)).arn }),
    }),

    StopPipelineExecution: operation<StopPipelineExecutionRequest, unknown>({
      mutating: true,
      authorize: onExecution('StopPipelineExecution'),
      handle(input, call) {
        const { execution } = find(call, input.PipelineExecutionArn ?? '');
        const token = `stop ${input.ClientRequestToken}`;
        if (!execution.tokens.has(token)) {
          if (!isRunning(execution)) {
            // AWS answers this as a wrong request, not as a conflict (apache/airflow#29077).
            throw validationError(
              `Only pipelines with 'Executing' status can be stopped; ${execution.arn} is in status ${execution.status}.`,
            );
          }
          execution.tokens.add(token);
          execution.modifiedBy = userContext(call.principal);
          engine.stop(execution);
        }
        return { PipelineExecutionArn: execution.arn };
      },
    }),

    RetryPipelineExecution: operation<RetryPipelineExecutionRequest, unknown>({
      mutating: true,
      authorize: onExecution('RetryPipelineExecution'),
      handle(input, call) {
        const { pipeline, execution } = find(call, input.PipelineExecutionArn ?? '');
        const token = `retry ${input.ClientRequestToken}`;
        if (!execution.tokens.has(token)) {
          if (execution.status !== 'Failed' && execution.status !== 'Stopped') {
            throw conflict(
              `Only pipelines with 'Failed' or 'Stopped' status can be retried; ${execution.arn} is in status ${execution.status}.`,
            );
          }
          const failed = [...execution.steps.values()].find(
            (record) => record.status === 'Failed' && record.definition.type === 'Fail',
          );
          if (failed !== undefined) {
            throw conflict(
              `${execution.arn} ended in the Fail step '${failed.definition.name}' and cannot be retried.`,
            );
          }
          execution.tokens.add(token);
          execution.modifiedBy = userContext(call.principal);
          if (input.ParallelismConfiguration !== undefined) execution.parallelism = input.ParallelismConfiguration;
          pipeline.lastRunAt = context.clock.now();
          engine.run(execution);
        }
        return { PipelineExecutionArn: execution.arn };
      },
    }),

    UpdatePipelineExecution: operation<UpdatePipelineExecutionRequest, unknown>({
      mutating: true,
      authorize: onExecution('UpdatePipelineExecution'),
      handle(input, call) {
        const { execution } = find(call, input.PipelineExecutionArn ?? '');
        Object.assign(execution, {
          ...optional('displayName', input.PipelineExecutionDisplayName),
          ...optional('description', input.PipelineExecutionDescription),
          ...optional('parallelism', input.ParallelismConfiguration),
          modifiedAt: context.clock.now(),
          modifiedBy: userContext(call.principal),
        });
        return { PipelineExecutionArn: execution.arn };
      },
    }),

    DescribePipelineExecution: operation<DescribePipelineExecutionRequest, unknown>({
      mutating: false,
      authorize: onExecution('DescribePipelineExecution'),
      handle(input, call) {
        const { execution } = find(call, input.PipelineExecutionArn ?? '');
        const { selection, experiment } = execution;
        return {
          PipelineArn: execution.pipelineArn,
          PipelineExecutionArn: execution.arn,
          PipelineExecutionDisplayName: execution.displayName,
          PipelineExecutionStatus: execution.status,
          PipelineExecutionDescription: execution.description,
          ...(Object.keys(experiment).length === 0 ? {} : { PipelineExperimentConfig: experiment }),
          FailureReason: execution.failureReason,
          CreationTime: execution.createdAt,
          LastModifiedTime: execution.modifiedAt,
          CreatedBy: execution.createdBy,
          LastModifiedBy: execution.modifiedBy,
          ParallelismConfiguration: execution.parallelism,
          ...(selection === undefined
            ? {}
            : {
                SelectiveExecutionConfig: {
                  ...optional('SourcePipelineExecutionArn', selection.source?.arn),
                  SelectedSteps: selection.steps.map((StepName) => ({ StepName })),
                },
              }),
          PipelineVersionId: execution.versionId,
        };
      },
    }),

    DescribePipelineDefinitionForExecution: operation<DescribePipelineDefinitionForExecutionRequest, unknown>({
      mutating: false,
      authorize: onExecution('DescribePipelineDefinitionForExecution'),
      handle(input, call) {
        const { execution } = find(call, input.PipelineExecutionArn ?? '');
        return { PipelineDefinition: execution.definition.text, CreationTime: execution.createdAt };
      },
    }),

    ListPipelineExecutions: operation<ListPipelineExecutionsRequest, unknown>({
      mutating: false,
      authorize: (input, call) => [
        permission(tags, 'ListPipelineExecutions', pipelineArn(call, input.PipelineName ?? '')),
      ],
      handle(input, call) {
        const pipeline = findPipeline(pipelines, call, input.PipelineName ?? '');
        const { items, NextToken } = listPage(
          [...pipeline.executions.values()].filter((execution) =>
            inWindow(execution.createdAt, input.CreatedAfter, input.CreatedBefore),
          ),
          input,
          {
            sortBy: (execution) => (input.SortBy === 'PipelineExecutionArn' ? execution.arn : execution.createdAt),
            id: (execution) => execution.arn,
            defaultOrder: 'Descending',
          },
        );
        return {
          PipelineExecutionSummaries: items.map((execution) => ({
            PipelineExecutionArn: execution.arn,
            StartTime: execution.createdAt,
            PipelineExecutionStatus: execution.status,
            PipelineExecutionDescription: execution.description,
            PipelineExecutionDisplayName: execution.displayName,
            PipelineExecutionFailureReason: execution.failureReason,
          })),
          NextToken,
        };
      },
    }),

    ListPipelineExecutionSteps: operation<ListPipelineExecutionStepsRequest, unknown>({
      mutating: false,
      authorize: onExecution('ListPipelineExecutionSteps'),
      handle(input, call) {
        const { execution } = find(call, input.PipelineExecutionArn ?? '');
        const { items, NextToken } = listPage(execution.steps.values(), input, {
          sortBy: (record) => record.order,
          id: (record) => record.definition.name,
          defaultOrder: 'Descending',
        });
        return { PipelineExecutionSteps: items.map(describeStep), NextToken };
      },
    }),

    ListPipelineParametersForExecution: operation<ListPipelineParametersForExecutionRequest, unknown>({
      mutating: false,
      authorize: onExecution('ListPipelineParametersForExecution'),
      handle(input, call) {
        const { execution } = find(call, input.PipelineExecutionArn ?? '');
        const { items, NextToken } = listPage(parameterList(execution).entries(), input, {
          sortBy: ([index]) => index,
          id: ([, parameter]) => parameter.Name,
          defaultOrder: 'Ascending',
        });
        return { PipelineParameters: items.map(([, parameter]) => parameter), NextToken };
      },
    }),
  };
}

/** The parameters of an execution with their values as text, in the order of the definition. */
function parameterList(execution: ExecutionRecord): { Name: string; Value: string }[] {
  return execution.definition.parameters.flatMap(({ name, type }) => {
    const value = execution.parameters.get(name);
    return value === undefined ? [] : [{ Name: name, Value: formatScalar(value, type) }];
  });
}
