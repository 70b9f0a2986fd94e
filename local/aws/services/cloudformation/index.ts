import type { PlatformContext } from '../../core/context.ts';
import type { Service } from '../../core/service.ts';
import { serviceHandlers } from './resources/index.ts';
import { nestedStack } from './resources/nested-stack.ts';
import { stackSet } from './resources/stack-set.ts';
import { createChangeSetOperations } from './stacks/change-sets.ts';
import { createStackEngine } from './stacks/engine.ts';
import { createStackLog } from './stacks/events.ts';
import { createStackOperations } from './stacks/operations.ts';
import { createResourceWork } from './stacks/resource-work.ts';
import { StackStore } from './stacks/store.ts';
import { createStackSetEngine } from './stacksets/engine.ts';
import { createStackSetOperations } from './stacksets/operations.ts';
import { createStackSetReads } from './stacksets/read-operations.ts';
import { StackSetStore } from './stacksets/store.ts';

/** CloudFormation of all accounts and regions: stacks, change sets and stack sets. */
export function createCloudFormation(context: PlatformContext): Service[] {
  const store = new StackStore();
  const sets = new StackSetStore();
  const log = createStackLog(context.clock);
  const handlers = {
    ...serviceHandlers,
    'AWS::CloudFormation::Stack': nestedStack(store),
    'AWS::CloudFormation::StackSet': stackSet,
  };
  const engine = createStackEngine(context, store, log, createResourceWork(context, log, handlers));
  const environment = { context, store, engine, log, handlers };
  return [
    {
      id: 'cloudformation',
      operations: {
        ...createStackOperations(environment),
        ...createChangeSetOperations(environment),
        ...createStackSetOperations({
          context,
          sets,
          engine: createStackSetEngine(context, store),
          distributedBodies: store.distributedBodies,
        }),
        ...createStackSetReads(environment, sets),
      },
    },
  ];
}
