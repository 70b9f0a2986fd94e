import type { Credentials, PlatformContext } from '../../core/context.ts';
import { validationError } from './problems.ts';
import type { Scope } from './scope.ts';

const principal = 'sagemaker.amazonaws.com';
/** A session is replaced when less than this is left: longer than any single step of a client call takes. */
const renewalMargin = 5 * 60 * 1000;

export interface RoleUse {
  roleArn: string;
  scope: Scope;
  /** The resource that SageMaker acts for: aws:SourceArn in the role's trust policy. */
  sourceArn: string;
  sessionName: string;
}

type Context = Pick<PlatformContext, 'roles' | 'clock'>;

function assume(context: Context, use: RoleUse): Credentials {
  return context.roles.assumeAsService({
    roleArn: use.roleArn,
    service: principal,
    sessionName: use.sessionName,
    sourceAccount: use.scope.account,
    sourceArn: use.sourceArn,
  }).credentials;
}

/** The text with which SageMaker answers for a role that is missing or does not trust it. */
export function cannotAssume(roleArn: string): string {
  return `Could not assume role ${roleArn}. Please ensure that the role exists and allows principal '${principal}' to assume the role.`;
}

/**
 * Credentials of a role that SageMaker uses, renewed by the platform's clock for as long as they are asked for.
 * Throws ValidationException at once when the role cannot be assumed.
 */
export function useRole(context: Context, use: RoleUse): () => Promise<Credentials> {
  let current: Credentials;
  try {
    current = assume(context, use);
  } catch {
    throw validationError(cannotAssume(use.roleArn));
  }
  return async () => {
    if (current.expiration.getTime() - context.clock.now().getTime() < renewalMargin) current = assume(context, use);
    return current;
  };
}
