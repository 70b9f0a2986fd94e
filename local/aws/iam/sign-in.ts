import { partitionOf } from '../core/arn.ts';
import type { Clock } from '../core/clock.ts';
import type { Authorizer, Session, Sessions } from '../core/context.ts';
import { AwsError } from '../core/errors.ts';
import type { AuthorizationRequest, Call } from '../core/service.ts';
import type { World } from '../core/world.ts';
import { accountAccessRole } from './seed.ts';
import type { IamStore } from './store.ts';
import type { AssumeRoleInput } from './sts/assume-role.ts';
import { principalOf } from './sts/role-session.ts';

export interface SignInRequest {
  account: string;
  /** Name or ARN; default OrganizationAccountAccessRole. */
  role?: string;
  sessionName?: string;
  /** Default: an hour. */
  lifetimeSeconds?: number;
}

interface SignInParts {
  world: World;
  store: IamStore;
  sessions: Sessions;
  authorizer: Authorizer;
  clock: Clock;
  /** The permissions that AssumeRole needs. */
  assumption(input: AssumeRoleInput, call: Call): AuthorizationRequest[];
}

/**
 * First credentials for a person: OrganizationAccountAccessRole itself, or a role that it may assume, judged as its call
 * of AssumeRole would be. Throws AwsError NoSuchEntity (404) or AccessDenied (403).
 */
export function createSignIn(parts: SignInParts): (request: SignInRequest) => Session {
  const { world, store, sessions, authorizer, clock, assumption } = parts;
  return ({ account, role: wanted = accountAccessRole, sessionName = 'local', lifetimeSeconds = 3600 }) => {
    const name = wanted.slice(wanted.lastIndexOf('/') + 1);
    const role = wanted.startsWith('arn:') ? store.roleByArn(wanted) : store.roleByName(account, name);
    const administrator = store.roleByName(account, accountAccessRole);
    if (role === undefined || role.account !== account || administrator === undefined) {
      throw new AwsError('NoSuchEntity', `Account ${account} has no role ${name}.`, 404);
    }
    if (role !== administrator) {
      const principal = principalOf(administrator, sessionName);
      const call = {
        seq: 0,
        at: clock.now(),
        account,
        region: world.region,
        partition: partitionOf(world.region),
        service: 'sts',
        operation: 'AssumeRole',
        principal,
        userAgent: 'sagemaker-mlops',
      };
      for (const request of assumption({ RoleArn: role.arn, RoleSessionName: sessionName }, call)) {
        const { decision, message } = authorizer.decide(principal, request, call);
        if (decision !== 'allow') throw new AwsError('AccessDenied', message, 403);
      }
    }
    return sessions.issue(principalOf(role, sessionName), lifetimeSeconds);
  };
}
