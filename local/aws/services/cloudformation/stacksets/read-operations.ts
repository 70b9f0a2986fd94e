import type * as Api from '@aws-sdk/client-cloudformation';
import { AwsError } from '../../../core/errors.ts';
import type { Call, Operation } from '../../../core/service.ts';
import { validationError } from '../errors.ts';
import type { StackEnvironment } from '../stacks/environment.ts';
import { templateSummary } from '../stacks/operations.ts';
import { stackResource, templateText } from '../stacks/requests.ts';
import { page } from '../stacks/store.ts';
import { readTemplate } from '../template/template.ts';
import { listLag } from './engine.ts';
import { instanceKey, type StackInstance, type StackSet, type StackSetOperation } from './model.ts';
import { onSet, refuseDelegation } from './requests.ts';
import type { StackSetStore } from './store.ts';
import {
  instanceSummaryView,
  instanceView,
  operationSummaryView,
  operationView,
  resultView,
  setSummaryView,
  setView,
} from './views.ts';

const largestPage = 100;

function pageSize(maximum: number | undefined): number {
  if (maximum !== undefined && (maximum < 1 || maximum > largestPage)) {
    throw validationError(
      `1 validation error detected: Value '${maximum}' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and ${largestPage}`,
    );
  }
  return maximum ?? largestPage;
}

export function createStackSetReads(environment: StackEnvironment, sets: StackSetStore): Record<string, Operation> {
  const { context } = environment;

  type Named = { StackSetName?: string | undefined; CallAs?: string | undefined };

  const read = <Input extends Named, Output>(
    action: string,
    handle: (set: StackSet, input: Input, call: Call) => Output,
  ): Operation<Input, Output> => ({
    mutating: false,
    authorize: (input, call) => [
      onSet(action, call, input.StackSetName, sets.find(call.account, call.region, input.StackSetName)),
    ],
    handle(input, call) {
      refuseDelegation(input.CallAs);
      return handle(sets.get(call.account, call.region, input.StackSetName), input, call);
    },
  });

  const operationOf = (set: StackSet, id: string | undefined): StackSetOperation => {
    const operation = set.operations.get(id ?? '');
    if (operation === undefined) throw new AwsError('OperationNotFoundException', `Operation ${id} not found`, 404);
    return operation;
  };

  const visibleSince = (): number => context.clock.now().getTime() - listLag(context.clock);

  const matches = (instance: StackInstance, filters: Api.StackInstanceFilter[] | undefined): boolean =>
    (filters ?? []).every(({ Name, Values }) => {
      switch (Name) {
        case 'DETAILED_STATUS':
          return Values === instance.detailedStatus;
        case 'LAST_OPERATION_ID':
          return Values === instance.lastOperationId;
        case 'DRIFT_STATUS':
          return Values === 'NOT_CHECKED';
        default:
          throw validationError(`Unknown filter ${Name}`);
      }
    });

  const describeStackSet = read<Api.DescribeStackSetInput, Api.DescribeStackSetOutput>('DescribeStackSet', (set) => ({
    StackSet: setView(set),
  }));

  const describeStackInstance = read<Api.DescribeStackInstanceInput, Api.DescribeStackInstanceOutput>(
    'DescribeStackInstance',
    (set, input) => {
      const instance = set.instances.get(
        instanceKey(input.StackInstanceAccount ?? '', input.StackInstanceRegion ?? ''),
      );
      if (instance === undefined) {
        throw new AwsError(
          'StackInstanceNotFoundException',
          `Stack instance not found: account ${input.StackInstanceAccount}, region ${input.StackInstanceRegion} of stack set ${set.name}`,
          404,
        );
      }
      return { StackInstance: instanceView(set, instance) };
    },
  );

  const listStackInstances = read<Api.ListStackInstancesInput, Api.ListStackInstancesOutput>(
    'ListStackInstances',
    (set, input) => {
      const chosen = [...set.instances.values()].filter(
        (instance) =>
          (input.StackInstanceAccount === undefined || instance.account === input.StackInstanceAccount) &&
          (input.StackInstanceRegion === undefined || instance.region === input.StackInstanceRegion) &&
          matches(instance, input.Filters),
      );
      const { items, next } = page(chosen, input.NextToken, pageSize(input.MaxResults));
      return {
        Summaries: items.map((instance) => instanceSummaryView(set, instance)),
        ...(next === undefined ? {} : { NextToken: next }),
      };
    },
  );

  const describeStackSetOperation = read<Api.DescribeStackSetOperationInput, Api.DescribeStackSetOperationOutput>(
    'DescribeStackSetOperation',
    (set, input) => ({ StackSetOperation: operationView(set, operationOf(set, input.OperationId)) }),
  );

  const listStackSetOperations = read<Api.ListStackSetOperationsInput, Api.ListStackSetOperationsOutput>(
    'ListStackSetOperations',
    (set, input) => {
      const since = visibleSince();
      const visible = [...set.operations.values()]
        .reverse()
        .map((operation) => operationSummaryView(operation, since))
        .filter((summary) => summary !== undefined);
      const { items, next } = page(visible, input.NextToken, pageSize(input.MaxResults));
      return { Summaries: items, ...(next === undefined ? {} : { NextToken: next }) };
    },
  );

  const listStackSetOperationResults = read<
    Api.ListStackSetOperationResultsInput,
    Api.ListStackSetOperationResultsOutput
  >('ListStackSetOperationResults', (set, input) => {
    const since = visibleSince();
    const visible = [...operationOf(set, input.OperationId).results.values()]
      .map((result) => resultView(result, since))
      .filter((summary) => summary !== undefined)
      .filter((summary) =>
        (input.Filters ?? []).every(({ Name, Values }) => {
          if (Name !== 'OPERATION_RESULT_STATUS') throw validationError(`Unknown filter ${Name}`);
          return summary.Status === Values;
        }),
      );
    const { items, next } = page(visible, input.NextToken, pageSize(input.MaxResults));
    return { Summaries: items, ...(next === undefined ? {} : { NextToken: next }) };
  });

  const listStackSets: Operation<Api.ListStackSetsInput, Api.ListStackSetsOutput> = {
    mutating: false,
    authorize: () => [{ action: 'cloudformation:ListStackSets', resources: ['*'] }],
    handle(input, call) {
      refuseDelegation(input.CallAs);
      const chosen = sets
        .all(call.account, call.region)
        .filter((set) => input.Status === undefined || set.status === input.Status);
      const { items, next } = page(chosen, input.NextToken, pageSize(input.MaxResults));
      return { Summaries: items.map(setSummaryView), ...(next === undefined ? {} : { NextToken: next }) };
    },
  };

  const getTemplateSummary: Operation<Api.GetTemplateSummaryInput, Api.GetTemplateSummaryOutput> = {
    mutating: false,
    authorize(input, call) {
      if (input.StackSetName !== undefined) {
        return [
          onSet(
            'GetTemplateSummary',
            call,
            input.StackSetName,
            sets.find(call.account, call.region, input.StackSetName),
          ),
        ];
      }
      if (input.StackName !== undefined) {
        const stack = environment.store.find(call.account, call.region, input.StackName);
        return [
          { action: 'cloudformation:GetTemplateSummary', resources: [stackResource(call, input.StackName, stack?.id)] },
        ];
      }
      return [{ action: 'cloudformation:GetTemplateSummary', resources: ['*'] }];
    },
    async handle(input, call) {
      refuseDelegation(input.CallAs);
      const sources = [input.StackName, input.StackSetName, input.TemplateBody, input.TemplateURL].filter(
        (source) => source !== undefined,
      );
      if (sources.length !== 1) {
        throw validationError('Specify exactly one of StackName, StackSetName, TemplateBody or TemplateURL.');
      }
      if (input.StackSetName !== undefined) {
        return templateSummary(sets.get(call.account, call.region, input.StackSetName).definition.template);
      }
      if (input.StackName !== undefined) {
        return templateSummary(environment.store.get(call.account, call.region, input.StackName).definition.template);
      }
      return templateSummary(readTemplate((await templateText(context, input, call)) as string));
    },
  };

  return {
    DescribeStackSet: describeStackSet,
    DescribeStackInstance: describeStackInstance,
    ListStackInstances: listStackInstances,
    DescribeStackSetOperation: describeStackSetOperation,
    ListStackSetOperations: listStackSetOperations,
    ListStackSetOperationResults: listStackSetOperationResults,
    ListStackSets: listStackSets,
    GetTemplateSummary: getTemplateSummary,
  };
}
