import { partitionOf } from '../../../core/arn.ts';
import { validationError } from '../errors.ts';
import type { EvaluationScope, Value } from '../template/evaluate.ts';
import type { Stack, StackDefinition } from './model.ts';
import type { StackStore } from './store.ts';

/** What the templates of a stack can refer to, apart from its resources. */
export function evaluationScope(
  stack: Pick<Stack, 'id' | 'name' | 'account' | 'region'>,
  definition: StackDefinition,
  store: StackStore,
  resources: { refOf(logicalId: string): Value; attributeOf(logicalId: string, attribute: string): Value },
): EvaluationScope {
  const partition = partitionOf(stack.region);
  return {
    template: definition.template,
    parameters: Object.fromEntries(
      Object.entries(definition.parameters).map(([name, parameter]) => [name, parameter.resolved]),
    ),
    pseudo: {
      'AWS::AccountId': stack.account,
      'AWS::NotificationARNs': definition.notificationArns,
      'AWS::Partition': partition,
      'AWS::Region': stack.region,
      'AWS::StackId': stack.id,
      'AWS::StackName': stack.name,
      'AWS::URLSuffix': partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com',
    },
    availabilityZones: ['a', 'b', 'c'].map((zone) => `${stack.region}${zone}`),
    ...resources,
    importValue(name) {
      const found = store.exports(stack.account, stack.region).find((item) => item.name === name);
      if (found === undefined) throw validationError(`No export named ${name} found.`);
      return found.value;
    },
  };
}

/** What a resource gives when it is referred to; the schema's dotted attributes reach into nested values. */
export function resourceReferences(resources: Map<string, { physicalId: string; attributes: Record<string, Value> }>): {
  refOf(logicalId: string): Value;
  attributeOf(logicalId: string, attribute: string): Value;
} {
  const find = (logicalId: string): { physicalId: string; attributes: Record<string, Value> } => {
    const resource = resources.get(logicalId);
    if (resource === undefined) {
      throw validationError(
        `Template error: Unable to resolve ${logicalId}: the resource is not part of the stack (its condition is false)`,
      );
    }
    return resource;
  };
  return {
    refOf: (logicalId) => find(logicalId).physicalId,
    attributeOf(logicalId, attribute) {
      const value = find(logicalId).attributes[attribute];
      if (value === undefined) {
        throw validationError(`Attribute '${attribute}' of ${logicalId} does not exist`);
      }
      return value;
    },
  };
}
