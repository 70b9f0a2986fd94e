import { randomUUID } from 'node:crypto';
import type { StackStatus } from '@aws-sdk/client-cloudformation';
import { formatArn } from '../../../core/arn.ts';
import type { Value } from '../template/evaluate.ts';
import type { ParameterValue } from '../template/parameters.ts';
import type { Template } from '../template/template.ts';

export interface Tag {
  Key: string;
  Value: string;
}

export interface StackEvent {
  id: string;
  at: Date;
  logicalId: string;
  physicalId: string;
  type: string;
  status: string;
  reason?: string;
  properties?: string;
  token?: string;
}

export interface StackResource {
  logicalId: string;
  type: string;
  physicalId: string;
  status: string;
  statusReason?: string;
  updatedAt: Date;
  /** As last applied: evaluated, checked, with the stack's tags. Compared with the next template's. */
  declared: Record<string, any>;
  /** The same with dynamic references resolved, as the service got it. */
  properties: Record<string, any>;
  attributes: Record<string, Value>;
  /** Evaluated attributes of the resource itself that are no properties; a change of metadata alone is an update too. */
  metadata?: Value;
  deletionPolicy: string;
  updateReplacePolicy: string;
  /** Logical ids that must outlive this resource. */
  dependencies: Set<string>;
}

export interface StackOutput {
  key: string;
  value: string;
  description?: string;
  exportName?: string;
}

/** Everything that a stack operation brings in and that a rollback has to restore. */
export interface StackDefinition {
  template: Template;
  parameters: Record<string, ParameterValue>;
  tags: Tag[];
  capabilities: string[];
  notificationArns: string[];
}

export interface Stack {
  id: string;
  name: string;
  account: string;
  region: string;
  definition: StackDefinition;
  roleArn?: string;
  status: StackStatus;
  statusReason?: string;
  createdAt: Date;
  updatedAt?: Date;
  deletedAt?: Date;
  resources: Map<string, StackResource>;
  outputs: StackOutput[];
  /** Oldest first; read newest first. */
  events: StackEvent[];
  terminationProtection: boolean;
  disableRollback: boolean;
  onFailure: 'DO_NOTHING' | 'ROLLBACK' | 'DELETE';
  timeoutMinutes?: number;
  changeSets: Map<string, ChangeSet>;
  changeSetId?: string;
  parentId?: string;
  rootId?: string;
  /** The running operation, if any. */
  operation?: { controller: AbortController; finished: Promise<void>; token?: string };
  /** Names of the exports of other stacks that this one uses. */
  imports: Set<string>;
  /** Client request tokens seen, with a digest of the request that brought them. */
  usedTokens: Map<string, string>;
}

export interface ResourceChange {
  action: 'Add' | 'Modify' | 'Remove';
  logicalId: string;
  physicalId?: string;
  type: string;
  replacement?: 'True' | 'False' | 'Conditional';
  scope: string[];
  details: {
    attribute: string;
    name?: string;
    requiresRecreation: 'Never' | 'Always' | 'Conditionally';
    evaluation: 'Static' | 'Dynamic';
  }[];
}

export interface ChangeSet {
  id: string;
  name: string;
  type: 'CREATE' | 'UPDATE';
  description?: string;
  status: 'CREATE_PENDING' | 'CREATE_IN_PROGRESS' | 'CREATE_COMPLETE' | 'FAILED' | 'DELETE_COMPLETE';
  statusReason?: string;
  executionStatus:
    | 'UNAVAILABLE'
    | 'AVAILABLE'
    | 'EXECUTE_IN_PROGRESS'
    | 'EXECUTE_COMPLETE'
    | 'EXECUTE_FAILED'
    | 'OBSOLETE';
  createdAt: Date;
  definition: StackDefinition;
  roleArn?: string;
  changes: ResourceChange[];
  onFailure?: 'DO_NOTHING' | 'ROLLBACK' | 'DELETE';
  token?: string;
}

/** A state in which an operation works on the stack. */
export function inProgress(stack: Stack): boolean {
  return stack.status.endsWith('_IN_PROGRESS') && stack.status !== 'REVIEW_IN_PROGRESS';
}

export function stackArn(account: string, region: string, name: string): string {
  return formatArn('cloudformation', region, account, `stack/${name}/${randomUUID()}`);
}

export function newStack(
  id: string,
  name: string,
  account: string,
  region: string,
  definition: StackDefinition,
  createdAt: Date,
): Stack {
  return {
    id,
    name,
    account,
    region,
    definition,
    status: 'REVIEW_IN_PROGRESS',
    createdAt,
    resources: new Map(),
    outputs: [],
    events: [],
    terminationProtection: false,
    disableRollback: false,
    onFailure: 'ROLLBACK',
    changeSets: new Map(),
    imports: new Set(),
    usedTokens: new Map(),
  };
}
