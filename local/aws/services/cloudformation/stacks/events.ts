import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../core/clock.ts';
import type { Stack, StackResource } from './model.ts';

/** Sets the status of a stack or of one of its resources and writes the event of it. */
export interface StackLog {
  stack(stack: Stack, status: Stack['status'], reason?: string): void;
  resource(stack: Stack, resource: StackResource, status: string, reason?: string): void;
}

export function createStackLog(clock: Clock): StackLog {
  return {
    stack(stack, status, reason) {
      stack.status = status;
      if (reason === undefined) delete stack.statusReason;
      else stack.statusReason = reason;
      stack.events.push({
        id: randomUUID(),
        at: clock.now(),
        logicalId: stack.name,
        physicalId: stack.id,
        type: 'AWS::CloudFormation::Stack',
        status,
        ...(reason === undefined ? {} : { reason }),
        ...(stack.operation?.token === undefined ? {} : { token: stack.operation.token }),
      });
    },
    resource(stack, resource, status, reason) {
      const at = clock.now();
      resource.status = status;
      resource.updatedAt = at;
      if (reason === undefined) delete resource.statusReason;
      else resource.statusReason = reason;
      stack.events.push({
        id: `${resource.logicalId}-${status}-${at.toISOString()}-${stack.events.length}`,
        at,
        logicalId: resource.logicalId,
        physicalId: resource.physicalId,
        type: resource.type,
        status,
        properties: JSON.stringify(resource.properties),
        ...(reason === undefined ? {} : { reason }),
        ...(stack.operation?.token === undefined ? {} : { token: stack.operation.token }),
      });
    },
  };
}
