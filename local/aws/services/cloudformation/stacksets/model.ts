import type { StackSetOperationPreferences } from '@aws-sdk/client-cloudformation';
import type { Tag } from '../stacks/model.ts';
import type { Template } from '../template/template.ts';

export type OperationAction = 'CREATE' | 'UPDATE' | 'DELETE';
export type OperationStatus = 'QUEUED' | 'RUNNING' | 'STOPPING' | 'SUCCEEDED' | 'FAILED' | 'STOPPED';
export type ResultStatus = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** What every instance is to look like; each change makes a new one, so that running operations keep theirs. */
export interface SetDefinition {
  generation: number;
  template: Template;
  parameters: Record<string, string>;
  tags: Tag[];
  capabilities: string[];
  administrationRoleArn: string;
  executionRoleName: string;
}

export interface StackInstance {
  account: string;
  region: string;
  stackId?: string;
  overrides: Record<string, string>;
  status: 'CURRENT' | 'OUTDATED' | 'INOPERABLE';
  detailedStatus: ResultStatus | 'INOPERABLE';
  statusReason?: string;
  lastOperationId: string;
  /** Generation of the definition that the stack has; 0 when no operation succeeded yet. */
  generation: number;
}

/** Lists run behind: they show `seen` until `at` is older than the lag. */
export interface OperationResult {
  account: string;
  region: string;
  status: ResultStatus;
  reason?: string;
  at: number;
  seen?: { status: ResultStatus; reason?: string };
}

export interface StackSetOperation {
  id: string;
  action: OperationAction;
  status: OperationStatus;
  statusReason?: string;
  preferences: StackSetOperationPreferences;
  retainStacks?: boolean;
  definition: SetDefinition;
  createdAt: Date;
  endedAt?: Date;
  results: Map<string, OperationResult>;
  failed: number;
  /** Digest of the request that started it. */
  stop: AbortController;
  at: number;
  seen?: { status: OperationStatus; endedAt?: Date };
}

export interface StackSet {
  id: string;
  name: string;
  arn: string;
  account: string;
  region: string;
  status: 'ACTIVE' | 'DELETED';
  description?: string;
  definition: SetDefinition;
  customAdministrationRole: boolean;
  managedExecution: boolean;
  instances: Map<string, StackInstance>;
  /** Oldest first. */
  operations: Map<string, StackSetOperation>;
  token?: string;
  tokenDigest?: string;
}

export function instanceKey(account: string, region: string): string {
  return `${account}/${region}`;
}

export function isLive(operation: StackSetOperation): boolean {
  return ['QUEUED', 'RUNNING', 'STOPPING'].includes(operation.status);
}
