import { AwsError } from '../../core/errors.ts';
import type { Service } from '../../core/service.ts';
import { assumeRole } from './assume-role.ts';
import { assumeRoleWithWebIdentity } from './assume-role-with-web-identity.ts';
import type { StsState } from './state.ts';

/** STS: temporary credentials. */
export function createSts(state: StsState): Service {
  return {
    id: 'sts',
    operations: {
      AssumeRole: assumeRole(state),
      AssumeRoleWithWebIdentity: assumeRoleWithWebIdentity(state),
      GetCallerIdentity: {
        mutating: false,
        // AWS answers this even under an explicit deny.
        authorize: () => [],
        handle(_input, { principal }) {
          if (principal.kind === 'anonymous') {
            throw new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
          }
          return { UserId: principal.userId, Account: principal.account, Arn: principal.arn };
        },
      },
    },
  };
}
