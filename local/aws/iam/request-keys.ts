import type { AuthorizationRequest, Call, Principal } from '../core/service.ts';
import { RequestContext } from './evaluator/request-context.ts';
import type { Role } from './store.ts';

/** The organization of the world's accounts, for the organization's condition keys. */
export interface Organization {
  /** o-... */
  id: string;
  /** e.g. o-abc/r-1234/ou-1234-abcdefgh/ ; undefined for an account outside. */
  path(account: string): string | undefined;
}

/** Services that also have a key of their own for the resource's tags. STS asks for roles, which are IAM's. */
const ownResourceTag: Record<string, string> = {
  ecr: 'ecr:ResourceTag',
  iam: 'iam:ResourceTag',
  sagemaker: 'sagemaker:ResourceTag',
  ssm: 'ssm:ResourceTag',
  sts: 'iam:ResourceTag',
};

interface KeysInput {
  principal: Principal;
  request: AuthorizationRequest;
  call: Call;
  role: Role | undefined;
  resourceAccount: string | undefined;
  organization: Organization | undefined;
}

function setTags(context: RequestContext, prefix: string, tags: Iterable<readonly [string, string]>): void {
  for (const [key, value] of tags) context.set(`${prefix}/${key}`, value);
}

function setOrganization(
  context: RequestContext,
  whose: 'Principal' | 'Resource',
  account: string,
  organization: Organization | undefined,
): void {
  const path = organization?.path(account);
  if (organization === undefined || path === undefined) return;
  context.set(`aws:${whose}OrgID`, organization.id);
  context.set(`aws:${whose}OrgPaths`, [path]);
}

function setPrincipal(context: RequestContext, { principal, role, organization }: KeysInput): void {
  context.set('aws:PrincipalIsAWSService', principal.kind === 'service');
  if (principal.kind === 'service') {
    context.set('aws:PrincipalServiceName', principal.arn);
    context.set('aws:PrincipalServiceNamesList', [principal.arn]);
    return;
  }
  if (principal.kind === 'anonymous') {
    context.set('aws:PrincipalType', 'Anonymous');
    context.set('aws:PrincipalAccount', 'anonymous');
    context.set('aws:userid', 'anonymous');
    return;
  }
  context.set('aws:PrincipalType', 'AssumedRole');
  context.set('aws:PrincipalAccount', principal.account);
  context.set('aws:PrincipalArn', principal.roleArn ?? principal.arn);
  context.set('aws:userid', principal.userId);
  setOrganization(context, 'Principal', principal.account, organization);
  context.set('aws:FederatedProvider', principal.federatedProvider);
  context.set('aws:SourceIdentity', principal.sourceIdentity);
  context.set('aws:TokenIssueTime', principal.issuedAt);
  // Roles that people or workflows assume here never carry a second factor.
  if (principal.federatedProvider === undefined) context.set('aws:MultiFactorAuthPresent', false);
  // Session tags win over the role's own.
  setTags(context, 'aws:PrincipalTag', role?.tags ?? []);
  setTags(context, 'aws:PrincipalTag', Object.entries(principal.sessionTags ?? {}));
}

/** Keys of the call itself, whoever makes it. */
export function setCall(context: RequestContext, call: Pick<Call, 'at' | 'region' | 'userAgent'>): void {
  context.set('aws:CurrentTime', call.at);
  context.set('aws:EpochTime', Math.floor(call.at.getTime() / 1000));
  context.set('aws:RequestedRegion', call.region);
  context.set('aws:UserAgent', call.userAgent);
  // The platform is reached over the loopback interface only, which counts as a secure transport.
  context.set('aws:SecureTransport', true);
}

/**
 * The condition keys of one request: the global ones from caller, call and resource, then those that the operation
 * itself gave.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function requestContext(input: KeysInput): RequestContext {
  const { principal, request, call, resourceAccount, organization } = input;
  const context = new RequestContext();
  setPrincipal(context, input);

  setCall(context, call);
  context.set('aws:ViaAWSService', principal.viaService !== undefined);
  if (principal.viaService !== undefined) {
    context.set('aws:CalledVia', [principal.viaService]);
    context.set('aws:CalledViaFirst', principal.viaService);
    context.set('aws:CalledViaLast', principal.viaService);
  } else if (principal.kind !== 'service') context.set('aws:SourceIp', '127.0.0.1');

  context.set('aws:ResourceAccount', resourceAccount);
  if (resourceAccount !== undefined) setOrganization(context, 'Resource', resourceAccount, organization);
  const resourceTags = Object.entries(request.resourceTags ?? {});
  setTags(context, 'aws:ResourceTag', resourceTags);
  const service = request.action.split(':')[0]!.toLowerCase();
  const own = ownResourceTag[service];
  if (own !== undefined) setTags(context, own, resourceTags);
  setTags(context, 'aws:RequestTag', Object.entries(request.requestTags ?? {}));
  if (request.requestTags !== undefined) context.set('aws:TagKeys', Object.keys(request.requestTags));

  for (const [key, value] of Object.entries(request.context ?? {})) context.set(key, value);
  return context;
}
