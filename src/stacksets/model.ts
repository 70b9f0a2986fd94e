/** What a stack set is to us: a definition, and instances of it in accounts and regions. */

/** Everything that makes two stack sets equal; all of it is sent with every change. */
export interface Definition {
  name: string;
  description: string;
  templateBody: string;
  parameters: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
  administrationRoleArn: string;
  executionRoleName: string;
  capabilities: readonly string[];
}

export interface Target {
  account: string;
  region: string;
}

/** An instance as CloudFormation reports it. Every field besides the place may be missing (suspended accounts have no stack). */
export interface Instance extends Target {
  status: string;
  detailedStatus: string | undefined;
  statusReason: string | undefined;
  stackId: string | undefined;
  lastOperationId: string | undefined;
}

export interface StackSetState {
  /** undefined: there is no such stack set. */
  definition: Definition | undefined;
  arn: string | undefined;
  instances: readonly Instance[];
}

export interface Preferences {
  /** How many accounts work at once; CloudFormation's default is 1. */
  maxConcurrentCount: number;
  /** How many accounts of a region may fail before the rest is cancelled. */
  failureToleranceCount: number;
  /** strict caps the concurrency at tolerance + 1. */
  concurrencyMode: 'strict' | 'soft';
}

/** What the deployment should end in. */
export interface Wanted {
  definition: Definition;
  region: string;
  /** Accounts in the order in which they are reached; one list per wave. */
  waves: readonly (readonly string[])[];
  preferences: Preferences;
}

export interface Operation {
  id: string;
  action: string;
  status: string;
  statusReason: string | undefined;
  failedInstances: number | undefined;
  /** When it was submitted, by AWS's clock. */
  createdAt: Date | undefined;
}

export interface OperationResult extends Target {
  status: string;
  reason: string | undefined;
}

export const liveStatuses: readonly string[] = ['QUEUED', 'RUNNING', 'STOPPING'];

export function isLive(operation: { status: string }): boolean {
  return liveStatuses.includes(operation.status);
}

/** Up to date: nothing has to be done for this instance. */
export function isCurrent(instance: Instance): boolean {
  return (
    instance.status === 'CURRENT' && (instance.detailedStatus === undefined || instance.detailedStatus === 'SUCCEEDED')
  );
}

export function place({ account, region }: Target): string {
  return `${account}/${region}`;
}
