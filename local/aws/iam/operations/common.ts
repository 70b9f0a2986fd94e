import { AwsError } from '../../core/errors.ts';
import type { AuthorizationRequest, Call } from '../../core/service.ts';
import { managedPolicy } from '../policies-of-role.ts';
import type { AccountState, IamStore, ManagedPolicy, Role } from '../store.ts';

export interface Tag {
  Key: string;
  Value: string;
}

/** What every operation of IAM works on. */
export interface IamState {
  store: IamStore;
  now(): Date;
}

export const noSuchEntity = (message: string) => new AwsError('NoSuchEntity', message, 404);
export const limitExceeded = (message: string) => new AwsError('LimitExceeded', message, 409);
export const invalidInput = (message: string) => new AwsError('InvalidInput', message, 400);
export const validationError = (message: string) => new AwsError('ValidationError', message, 400);

/** The state of the caller's account, which the front has already found in the world. */
export function accountOf(state: IamState, call: Call): AccountState {
  const account = state.store.account(call.account);
  if (account === undefined)
    throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);
  return account;
}

export function roleOrThrow(state: IamState, call: Call, name: string): Role {
  const role = state.store.roleByName(call.account, name);
  if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

export function policyOrThrow(state: IamState, call: Call, arn: string): ManagedPolicy {
  const policy = managedPolicy(state.store, arn);
  const owner = arn.split(':')[4];
  if (policy === undefined || (owner !== call.account && owner !== 'aws')) {
    throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  }
  return policy;
}

/** Only the account's own managed policies can be changed. */
export function ownPolicyOrThrow(state: IamState, call: Call, arn: string): ManagedPolicy {
  const policy = policyOrThrow(state, call, arn);
  if (arn.split(':')[4] === 'aws') {
    throw new AwsError(
      'AccessDenied',
      `User: ${call.principal.arn} is not authorized to change the AWS managed policy ${arn}`,
      403,
    );
  }
  return policy;
}

/** IAM's answers carry policies percent-encoded (RFC 3986). */
export const encodePolicy = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

export const tagsOf = (tags: Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key, Value]));

export const tagList = (tags: ReadonlyMap<string, string>): Tag[] => [...tags].map(([Key, Value]) => ({ Key, Value }));

/** Adds tags by IAM's rules: keys differ without case, a known key takes the new spelling and value, at most 50. */
export function addTags(target: Map<string, string>, tags: Tag[]): void {
  const seen = new Set<string>();
  for (const { Key } of tags) {
    const name = Key.toLowerCase();
    if (seen.has(name)) {
      throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
    }
    if (name.startsWith('aws:')) throw validationError(`Tag key ${Key} must not begin with the reserved prefix aws:.`);
    seen.add(name);
  }
  const kept = [...target].filter(([key]) => !seen.has(key.toLowerCase()));
  if (kept.length + tags.length > 50) throw limitExceeded('The number of tags has reached the maximum limit.');
  target.clear();
  for (const [key, value] of kept) target.set(key, value);
  for (const { Key, Value } of tags) target.set(Key, Value);
}

export function removeTags(target: Map<string, string>, keys: string[]): void {
  const names = new Set(keys.map((key) => key.toLowerCase()));
  for (const key of [...target.keys()]) if (names.has(key.toLowerCase())) target.delete(key);
}

interface Paging {
  Marker?: string;
  MaxItems?: number;
}

/** One page as IAM gives it: IsTruncated and, when there is more, a Marker. */
export function page<T>(
  items: readonly T[],
  { Marker, MaxItems = 100 }: Paging,
): { items: T[]; IsTruncated: boolean; Marker?: string } {
  const start =
    Marker === undefined ? 0 : Number(/^page-(\d+)$/.exec(Buffer.from(Marker, 'base64').toString())?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) throw validationError('Invalid Marker.');
  const end = start + MaxItems;
  const IsTruncated = end < items.length;
  return {
    items: items.slice(start, end),
    IsTruncated,
    ...(IsTruncated ? { Marker: Buffer.from(`page-${end}`).toString('base64') } : {}),
  };
}

/** The permission for an operation on a role, existing or to be made. */
export function onRole(
  state: IamState,
  call: Call,
  operation: string,
  name: string,
  more: Omit<Partial<AuthorizationRequest>, 'action' | 'resources'> = {},
): AuthorizationRequest[] {
  const role = state.store.roleByName(call.account, name);
  const boundary = role?.boundary === undefined ? {} : { 'iam:PermissionsBoundary': role.boundary };
  return [
    {
      action: `iam:${operation}`,
      resources: [role?.arn ?? `arn:${call.partition}:iam::${call.account}:role/${name}`],
      ...(role === undefined ? {} : { resourceTags: Object.fromEntries(role.tags) }),
      ...more,
      context: { ...boundary, ...more.context },
    },
  ];
}

/** Creating something with tags needs the right to tag it as well. */
export const tagOnCreate = (action: string, arn: string, tags: Tag[] | undefined): AuthorizationRequest[] =>
  tags === undefined || tags.length === 0 ? [] : [{ action, resources: [arn], requestTags: tagsOf(tags) }];
