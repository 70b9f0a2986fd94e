import type { JSONWebKeySet } from 'jose';
import type { Clock } from '../core/clock.ts';
import type { Authorizer, Logger, RoleAssumer, Session, Sessions } from '../core/context.ts';
import type { Service } from '../core/service.ts';
import type { World } from '../core/world.ts';
import { createAuthorizer } from './authorizer.ts';
import { managedPolicyOperations } from './operations/managed-policies.ts';
import { oidcProviderOperations } from './operations/oidc-providers.ts';
import { rolePolicyOperations } from './operations/role-policies.ts';
import { roleOperations } from './operations/roles.ts';
import { serviceLinkedRoleOperations } from './operations/service-linked-roles.ts';
import { simulateOperations } from './operations/simulate.ts';
import type { Organization } from './request-keys.ts';
import { seedAccounts } from './seed.ts';
import { createSessions } from './sessions.ts';
import { createSignIn, type SignInRequest } from './sign-in.ts';
import { IamStore } from './store.ts';
import { assumption } from './sts/assume-role.ts';
import { createSts } from './sts/index.ts';
import { principalOf } from './sts/role-session.ts';
import { StsState } from './sts/state.ts';
import { roleTrustingService } from './sts/trust.ts';
import { OidcKeys } from './sts/web-identity.ts';

export interface IdentityOptions {
  world: World;
  clock: Clock;
  logger: Logger;
  /** The organization of the world's accounts; without it the organization's condition keys are absent. */
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
  /** First credentials for a person: see sign-in.ts. */
  signIn(request: SignInRequest): Session;
}

/** Identity of the local platform: IAM, STS, their sessions, and the evaluator that judges every call. */
export function createIdentity({ world, clock, organization }: IdentityOptions): Identity {
  const store = new IamStore(world);
  const sessions = createSessions(clock);
  const keys = new OidcKeys();
  const sts = new StsState(store, sessions, keys, clock);
  const authorizer = createAuthorizer({ store, ...(organization === undefined ? {} : { organization }) });
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
    authorizer,
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
      createSts(sts),
    ],
    setOidcKeys: (issuerUrl, jwks) => keys.set(issuerUrl, jwks),
    seed: () => seedAccounts(store, world, clock.now()),
    signIn: createSignIn({
      world,
      store,
      sessions,
      authorizer,
      clock,
      assumption: (input, call) => assumption(sts, input, call),
    }),
  };
}
