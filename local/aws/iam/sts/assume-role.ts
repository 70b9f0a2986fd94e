import { AwsError } from '../../core/errors.ts';
import type { AuthorizationRequest, Call, Operation, Principal } from '../../core/service.ts';
import { resolvedTrust } from '../authorizer.ts';
import { checkText, lifetimeOf, principalOf, sessionNamePattern } from './role-session.ts';
import { packedSize, sessionPolicyOf } from './session-policy.ts';
import type { StsState } from './state.ts';

interface Tag {
  Key?: string;
  Value?: string;
}

export interface AssumeRoleInput {
  RoleArn: string;
  RoleSessionName: string;
  DurationSeconds?: number;
  ExternalId?: string;
  Policy?: string;
  PolicyArns?: { arn?: string }[];
  SourceIdentity?: string;
  Tags?: Tag[];
  TransitiveTagKeys?: string[];
  SerialNumber?: string;
  TokenCode?: string;
  ProvidedContexts?: unknown[];
}

/** Tags that the calling session passes on to every later one. */
function inheritedTags(principal: Principal): Record<string, string> {
  const keys = new Set(principal.transitiveTagKeys ?? []);
  return Object.fromEntries(Object.entries(principal.sessionTags ?? {}).filter(([key]) => keys.has(key)));
}

function requestTags(input: AssumeRoleInput): Record<string, string> {
  return Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
}

/** Throws ValidationError; the API model's lengths and patterns, and the rules between members. */
function check(input: AssumeRoleInput, principal: Principal): void {
  if (!/^arn:[^:]+:iam::\d{12}:role\/.+$/.test(input.RoleArn)) {
    throw new AwsError('ValidationError', `${input.RoleArn} is invalid`);
  }
  checkText('roleSessionName', input.RoleSessionName, sessionNamePattern, 2, 64);
  if (input.ExternalId !== undefined) checkText('externalId', input.ExternalId, /^[\w+=,.@:/-]*$/, 2, 1224);
  if (input.SourceIdentity !== undefined) {
    checkText('sourceIdentity', input.SourceIdentity, sessionNamePattern, 2, 64);
    if (/^aws:/i.test(input.SourceIdentity)) {
      throw new AwsError('ValidationError', 'SourceIdentity must not begin with the reserved prefix aws:.');
    }
  }
  const tags = input.Tags ?? [];
  if (tags.length > 50) throw new AwsError('ValidationError', 'A session can have at most 50 tags.');
  const names = new Set<string>();
  for (const { Key, Value } of tags) {
    checkText('tags.key', Key ?? '', /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u, 1, 128);
    checkText('tags.value', Value ?? '', /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u, 0, 256);
    // Tag keys keep their case but must differ without it.
    const name = Key!.toLowerCase();
    if (names.has(name)) {
      throw new AwsError(
        'InvalidParameterValue',
        'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
      );
    }
    if (name.startsWith('aws:')) throw new AwsError('ValidationError', `Tag key ${Key} must not begin with aws:.`);
    names.add(name);
  }
  for (const key of input.TransitiveTagKeys ?? []) {
    if (!names.has(key.toLowerCase())) {
      throw new AwsError(
        'InvalidParameterValue',
        'The specified transitive tag key must be included in the requested tags.',
      );
    }
  }
  for (const key of Object.keys(inheritedTags(principal))) {
    if (names.has(key.toLowerCase())) {
      throw new AwsError(
        'InvalidParameterValue',
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
      );
    }
  }
}

/** The permissions that a call needs: the role's trust and, beside it, the caller's own policies. Throws ValidationError. */
export function assumption(state: StsState, input: AssumeRoleInput, call: Call): AuthorizationRequest[] {
  const { principal } = call;
  check(input, principal);
  const role = state.store.roleByArn(input.RoleArn);
  const tags = requestTags(input);
  const request = (action: string): AuthorizationRequest => ({
    action,
    resources: [input.RoleArn],
    resourceAccount: input.RoleArn.split(':')[4]!,
    // A role that does not exist trusts nobody: the caller hears the same refusal.
    resourcePolicy: role === undefined ? { Version: '2012-10-17', Statement: [] } : resolvedTrust(state.store, role),
    resourcePolicyRequired: true,
    resourceTags: Object.fromEntries(role?.tags ?? []),
    ...(input.Tags === undefined ? {} : { requestTags: tags }),
    context: {
      'sts:RoleSessionName': input.RoleSessionName,
      ...(input.ExternalId === undefined ? {} : { 'sts:ExternalId': input.ExternalId }),
      ...(input.SourceIdentity === undefined ? {} : { 'sts:SourceIdentity': input.SourceIdentity }),
      ...(input.TransitiveTagKeys === undefined ? {} : { 'sts:TransitiveTagKeys': input.TransitiveTagKeys }),
    },
  });
  const passesTags = Object.keys(tags).length > 0 || Object.keys(inheritedTags(principal)).length > 0;
  const hasSource = input.SourceIdentity !== undefined || principal.sourceIdentity !== undefined;
  return [
    request('sts:AssumeRole'),
    ...(passesTags ? [request('sts:TagSession')] : []),
    ...(hasSource ? [request('sts:SetSourceIdentity')] : []),
  ];
}

/**
 * AssumeRole. Every caller here is a role session, so every session it gives is a chained one, of an hour at most.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function assumeRole(state: StsState): Operation<AssumeRoleInput> {
  return {
    mutating: false,
    authorize: (input, call) => assumption(state, input, call),
    handle(input, call) {
      const { principal } = call;
      for (const member of ['SerialNumber', 'TokenCode', 'ProvidedContexts'] as const)
        state.refuse('AssumeRole', member, input[member]);
      const role = state.store.roleByArn(input.RoleArn)!;
      const chained = principal.kind === 'assumed-role';
      const lifetime = lifetimeOf(input.DurationSeconds, role, chained);
      if (
        principal.sourceIdentity !== undefined &&
        (input.SourceIdentity ?? principal.sourceIdentity) !== principal.sourceIdentity
      ) {
        throw new AwsError('AccessDenied', 'The source identity of a session cannot be changed by role chaining.', 403);
      }
      const sessionPolicy = sessionPolicyOf(state.store, role.account, input);
      const inherited = inheritedTags(principal);
      const own = requestTags(input);
      const sourceIdentity = input.SourceIdentity ?? principal.sourceIdentity;
      const session = state.sessions.issue(
        principalOf(role, input.RoleSessionName, {
          ...(Object.keys({ ...inherited, ...own }).length > 0 ? { sessionTags: { ...inherited, ...own } } : {}),
          transitiveTagKeys: [...Object.keys(inherited), ...(input.TransitiveTagKeys ?? [])],
          ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
          ...(sessionPolicy === undefined ? {} : { sessionPolicy }),
          chained,
        }),
        lifetime,
      );
      role.lastUsed = { at: call.at, region: call.region };
      const packed =
        (input.Policy?.length ?? 0) +
        Object.entries(own).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
      return {
        Credentials: state.answer(session),
        AssumedRoleUser: { AssumedRoleId: session.principal.userId, Arn: session.principal.arn },
        ...(packed > 0 ? { PackedPolicySize: packedSize(packed) } : {}),
        ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
      };
    },
  };
}
