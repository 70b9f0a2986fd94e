import type { JSONWebKeySet } from 'jose';
import type { Clock } from '../core/clock.ts';
import type { Authorizer, Logger, RoleAssumer, Session, Sessions } from '../core/context.ts';
import { AwsError } from '../core/errors.ts';
import type { Service } from '../core/service.ts';
import type { World } from '../core/world.ts';
import { createAuthorizer, resolvedTrust } from './authorizer.ts';
import { decide } from './evaluator/decide.ts';
import { RequestContext } from './evaluator/request-context.ts';
import { managedPolicyOperations } from './operations/managed-policies.ts';
import { oidcProviderOperations } from './operations/oidc-providers.ts';
import { rolePolicyOperations } from './operations/role-policies.ts';
import { roleOperations } from './operations/roles.ts';
import { serviceLinkedRoleOperations } from './operations/service-linked-roles.ts';
import { simulateOperations } from './operations/simulate.ts';
import type { Organization } from './request-keys.ts';
import { accountAccessRole, seedAccounts } from './seed.ts';
import { createSessions } from './sessions.ts';
import { IamStore } from './store.ts';
import { createSts } from './sts/index.ts';
import { principalOf } from './sts/role-session.ts';
import { StsState } from './sts/state.ts';
import { roleTrustingService } from './sts/trust.ts';
import { OidcKeys } from './sts/web-identity.ts';

export interface IdentityOptions {
  world: World;
  clock: Clock;
  logger: Logger;
  organization?: Organization;
}

export interface Identity {
  sessions: Sessions;
  authorizer: Authorizer;
  roles: RoleAssumer;
  services: Service[];
  /** The public keys of an OIDC issuer, by its URL as tokens carry it in `iss`. */
  setOidcKeys(issuerUrl: string, jwks: JSONWebKeySet): void;
  /** OrganizationAccountAccessRole in every account that lacks it. */
  seed(): void;
  /**
   * First credentials for a person, without a call: OrganizationAccountAccessRole (default), or a role of the account
   * that trusts its own account. Throws AwsError NoSuchEntity (404) or AccessDenied (403).
   */
  signIn(request: { account: string; role?: string; sessionName?: string; lifetimeSeconds?: number }): Session;
}

/** Identity of the local platform: IAM, STS, their sessions, and the evaluator that judges every call. */
export function createIdentity({ world, clock, organization }: IdentityOptions): Identity {
  const store = new IamStore(world);
  const sessions = createSessions(clock);
  const keys = new OidcKeys();
  const state = { store, now: () => clock.now() };

  const roles: RoleAssumer = {
    assumeAsService(request) {
      const role = roleTrustingService(store, { ...request, at: clock.now() });
      role.lastUsed = { at: clock.now(), region: world.region };
      return sessions.issue(principalOf(role, request.sessionName), request.lifetimeSeconds ?? 3600);
    },
    roleExists: (roleArn) => store.roleByArn(roleArn) !== undefined,
  };

  return {
    sessions,
    authorizer: createAuthorizer({ store, ...(organization === undefined ? {} : { organization }) }),
    roles,
    services: [
      {
        id: 'iam',
        operations: {
          ...roleOperations(state),
          ...rolePolicyOperations(state),
          ...managedPolicyOperations(state),
          ...oidcProviderOperations(state),
          ...serviceLinkedRoleOperations(state),
          ...simulateOperations(state),
        },
      },
      createSts(new StsState(store, sessions, keys, clock)),
    ],
    setOidcKeys: (issuerUrl, jwks) => keys.set(issuerUrl, jwks),
    seed: () => seedAccounts(store, world, clock.now()),
    signIn({ account, role: name = accountAccessRole, sessionName = 'local', lifetimeSeconds }) {
      const role = store.roleByName(account, name);
      if (role === undefined) {
        throw new AwsError('NoSuchEntity', `Account ${account} has no role ${name}.`, 404);
      }
      if (name !== accountAccessRole && !trustsOwnAccount()) {
        throw new AwsError(
          'AccessDenied',
          `The trust policy of ${role.arn} does not let people of account ${account} in.`,
          403,
        );
      }
      return sessions.issue(principalOf(role, sessionName), lifetimeSeconds ?? role.maxSessionDuration);

      /** As an administrator of the account would assume it, from OrganizationAccountAccessRole. */
      function trustsOwnAccount(): boolean {
        const partition = role!.arn.split(':')[1];
        const context = new RequestContext();
        context.set('aws:PrincipalArn', `arn:${partition}:iam::${account}:role/${accountAccessRole}`);
        context.set('aws:PrincipalAccount', account);
        context.set('aws:CurrentTime', clock.now());
        context.set('aws:SecureTransport', true);
        context.set('aws:ResourceAccount', account);
        context.set('sts:RoleSessionName', sessionName);
        const { decision } = decide({
          action: 'sts:AssumeRole',
          resource: role!.arn,
          subject: {
            kind: 'role-session',
            account,
            roleArn: `arn:${partition}:iam::${account}:role/${accountAccessRole}`,
          },
          callerAccount: account,
          resourceAccount: account,
          context,
          identity: {
            owner: accountAccessRole,
            policies: [
              {
                name: 'AdministratorAccess',
                document: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
              },
            ],
          },
          resourcePolicy: resolvedTrust(store, role!),
          resourcePolicyRequired: true,
          resourcePolicyName: 'role trust policy',
        });
        return decision === 'allow';
      }
    },
  };
}
