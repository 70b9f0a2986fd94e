import { AwsError } from '../../core/errors.ts';
import type { Call } from '../../core/service.ts';
import { resolvedTrust } from '../authorizer.ts';
import { decide } from '../evaluator/decide.ts';
import type { Subject } from '../evaluator/principals.ts';
import { RequestContext } from '../evaluator/request-context.ts';
import { setCall } from '../request-keys.ts';
import type { IamStore, OidcProvider, Role } from '../store.ts';
import { claimKeys, type VerifiedToken } from './web-identity.ts';

function isTrusted(store: IamStore, role: Role, action: string, subject: Subject, context: RequestContext): boolean {
  const { decision } = decide({
    action,
    resource: role.arn,
    subject,
    callerAccount: undefined,
    resourceAccount: role.account,
    context,
    identity: { owner: '', policies: [] },
    resourcePolicy: resolvedTrust(store, role),
    resourcePolicyRequired: true,
    resourcePolicyName: 'role trust policy',
  });
  return decision === 'allow';
}

/** Whether the role's trust policy lets the bearer of a verified token in. */
export function trustsToken(
  store: IamStore,
  role: Role,
  provider: OidcProvider,
  token: VerifiedToken,
  request: { sessionName: string; call: Call },
): boolean {
  const context = new RequestContext();
  setCall(context, request.call);
  context.set('aws:FederatedProvider', provider.arn);
  context.set('aws:PrincipalIsAWSService', false);
  context.set('aws:ViaAWSService', false);
  context.set('aws:SourceIp', '127.0.0.1');
  context.set('sts:RoleSessionName', request.sessionName);
  for (const [tag, value] of role.tags) context.set(`aws:ResourceTag/${tag}`, value);
  for (const [key, value] of Object.entries(claimKeys(provider, token))) context.set(key, value);
  return isTrusted(
    store,
    role,
    'sts:AssumeRoleWithWebIdentity',
    { kind: 'web-identity', federated: provider.arn },
    context,
  );
}

export interface ServiceAssumption {
  roleArn: string;
  service: string;
  sourceAccount?: string;
  sourceArn?: string;
  at: Date;
}

/** The role, when it exists and trusts the service; throws AwsError AccessDenied otherwise. */
export function roleTrustingService(store: IamStore, request: ServiceAssumption): Role {
  const role = store.roleByArn(request.roleArn);
  const context = new RequestContext();
  context.set('aws:CurrentTime', request.at);
  context.set('aws:EpochTime', Math.floor(request.at.getTime() / 1000));
  context.set('aws:SecureTransport', true);
  context.set('aws:PrincipalIsAWSService', true);
  context.set('aws:PrincipalServiceName', request.service);
  context.set('aws:PrincipalServiceNamesList', [request.service]);
  context.set('aws:SourceAccount', request.sourceAccount);
  context.set('aws:SourceArn', request.sourceArn);
  if (
    role === undefined ||
    !isTrusted(store, role, 'sts:AssumeRole', { kind: 'service', service: request.service }, context)
  ) {
    throw new AwsError(
      'AccessDenied',
      `Could not assume role ${request.roleArn}. Please ensure that the role exists and allows principal '${request.service}' to assume the role.`,
      403,
    );
  }
  return role;
}
