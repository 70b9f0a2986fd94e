import type { DeploymentTargets, StackSetOperationPreferences } from '@aws-sdk/client-cloudformation';
import { AwsError, NotImplementedError } from '../../../core/errors.ts';
import type { AuthorizationRequest, Call } from '../../../core/service.ts';
import { validationError } from '../errors.ts';
import { tagRecord } from '../stacks/requests.ts';
import type { StackSet } from './model.ts';

export const setNamePattern = /^[a-zA-Z][-a-zA-Z0-9]{0,127}$/;
const operationIdPattern = /^[a-zA-Z0-9][-a-zA-Z0-9]{0,127}$/;

export interface TargetInput {
  Accounts?: string[] | undefined;
  Regions?: string[] | undefined;
  DeploymentTargets?: DeploymentTargets | undefined;
}

/** Only the administrator's own sets are kept here; organisations are another part of the platform. */
export function refuseDelegation(callAs: string | undefined): void {
  if (callAs !== undefined && callAs !== 'SELF') throw new NotImplementedError(`CallAs ${callAs} of stack sets`);
}

/** Accounts and regions of a request, both or (when `optional`) neither. Throws ValidationError. */
export function readTargets(
  input: TargetInput,
  optional: boolean,
): { accounts: string[]; regions: string[] } | undefined {
  if (input.DeploymentTargets !== undefined) {
    throw validationError(
      'StackSets with SELF_MANAGED permission model can only have Accounts as target: DeploymentTargets are for SERVICE_MANAGED ones.',
    );
  }
  const accounts = [...new Set(input.Accounts ?? [])];
  const regions = [...new Set(input.Regions ?? [])];
  if (optional && accounts.length === 0 && regions.length === 0) return undefined;
  if (accounts.length === 0 || regions.length === 0) {
    throw validationError(
      optional
        ? 'Accounts and Regions must be given both or not at all.'
        : `${accounts.length === 0 ? 'Accounts' : 'Regions'} must not be empty.`,
    );
  }
  for (const account of accounts) {
    if (!/^\d{12}$/.test(account)) {
      throw validationError(
        `1 validation error detected: Value '[${account}]' at 'accounts' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[0-9]{12}$`,
      );
    }
  }
  for (const region of regions) {
    if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
      throw validationError(
        `1 validation error detected: Value '[${region}]' at 'regions' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9-]{1,128}$`,
      );
    }
  }
  return { accounts, regions };
}

export function readPreferences(preferences: StackSetOperationPreferences | undefined): StackSetOperationPreferences {
  if (preferences === undefined) return {};
  const pairs = [
    ['FailureToleranceCount', 'FailureTolerancePercentage'],
    ['MaxConcurrentCount', 'MaxConcurrentPercentage'],
  ] as const;
  for (const [count, percentage] of pairs) {
    if (preferences[count] !== undefined && preferences[percentage] !== undefined) {
      throw validationError(`OperationPreferences: specify either ${count} or ${percentage}, not both.`);
    }
  }
  const ranges = [
    ['FailureToleranceCount', 0, Number.MAX_SAFE_INTEGER],
    ['FailureTolerancePercentage', 0, 100],
    ['MaxConcurrentCount', 1, Number.MAX_SAFE_INTEGER],
    ['MaxConcurrentPercentage', 1, 100],
  ] as const;
  for (const [name, minimum, maximum] of ranges) {
    const value = preferences[name];
    if (value !== undefined && (!Number.isInteger(value) || value < minimum || value > maximum)) {
      throw validationError(
        `OperationPreferences: ${name} must be a whole number from ${minimum}${maximum === 100 ? ' to 100' : ''}, not ${value}.`,
      );
    }
  }
  const choices = {
    RegionConcurrencyType: ['SEQUENTIAL', 'PARALLEL'],
    ConcurrencyMode: ['STRICT_FAILURE_TOLERANCE', 'SOFT_FAILURE_TOLERANCE'],
  };
  for (const [name, allowed] of Object.entries(choices)) {
    const value = preferences[name as keyof typeof choices];
    if (value !== undefined && !allowed.includes(value)) {
      throw validationError(`OperationPreferences: ${name} must be one of ${allowed.join(', ')}, not ${value}.`);
    }
  }
  return preferences;
}

export function readOperationId(set: StackSet, id: string | undefined, fallback: () => string): string {
  if (id === undefined) return fallback();
  if (!operationIdPattern.test(id)) {
    throw validationError(
      `1 validation error detected: Value '${id}' at 'operationId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*`,
    );
  }
  if (set.operations.has(id)) {
    throw new AwsError(
      'OperationIdAlreadyExistsException',
      `Another operation with the operation id ${id} already exists for stack set ${set.name}`,
      409,
    );
  }
  return id;
}

/** The permission on a stack set; a set that does not exist is asked for with a wildcard instead of its id. */
export function onSet(
  action: string,
  call: Call,
  nameOrId: string | undefined,
  set: StackSet | undefined,
): AuthorizationRequest {
  const name = nameOrId?.includes(':') ? nameOrId : `${nameOrId ?? '*'}:*`;
  return {
    action: `cloudformation:${action}`,
    resources: [set?.arn ?? `arn:${call.partition}:cloudformation:${call.region}:${call.account}:stackset/${name}`],
    ...(set === undefined ? {} : { resourceTags: tagRecord(set.definition.tags) }),
  };
}

/**
 * Operations on instances also need the target accounts and the template's resource types ("Service authorization
 * reference": stackset-target, type; condition key cloudformation:TargetRegion).
 */
export function onTargets(
  action: string,
  call: Call,
  nameOrId: string | undefined,
  set: StackSet | undefined,
  targets: TargetInput,
): AuthorizationRequest[] {
  const own = onSet(action, call, nameOrId, set);
  const accounts = [...new Set(targets.Accounts ?? [])];
  if (set === undefined || accounts.length === 0) return [own];
  const prefix = `arn:${call.partition}:cloudformation:${call.region}`;
  const types = new Set(Object.values(set.definition.template.resources).map(({ type }) => type));
  return [
    own,
    {
      action: own.action,
      resources: accounts.map((account) => `${prefix}:${call.account}:stackset-target/${set.id}/${account}`),
      context: { 'cloudformation:TargetRegion': targets.Regions ?? [] },
    },
    {
      action: own.action,
      resources: [...types].map((type) => `${prefix}::type/resource/${type.replaceAll('::', '-')}`),
    },
  ];
}
