import type { ClientSet, PlatformContext, Session } from '../../../core/context.ts';
import type { Principal } from '../../../core/service.ts';
import { messageOf, validationError } from '../errors.ts';

export const serviceName = 'cloudformation.amazonaws.com';

/** Sessions are renewed this long before they end. */
const renewBeforeMilliseconds = 300_000;

/** The rights with which a stack operation calls other services: the stack's role, else the caller's. */
export interface Rights {
  readonly clients: ClientSet;
}

/**
 * Without a role CloudFormation acts with the caller's own rights (forward access session: aws:CalledVia and
 * aws:ViaAWSService are set); with a role it assumes that. Throws ValidationError when the role cannot be assumed.
 */
export function operationRights(
  context: PlatformContext,
  options: { principal: Principal; roleArn: string | undefined; region: string; stackId: string; account: string },
): Rights {
  const open = (): Session => {
    if (options.roleArn !== undefined) {
      return context.roles.assumeAsService({
        roleArn: options.roleArn,
        service: serviceName,
        sessionName: 'AWSCloudFormation',
        sourceAccount: options.account,
        sourceArn: options.stackId,
      });
    }
    const { issuedAt: _, ...principal } = options.principal;
    return context.sessions.issue({ ...principal, viaService: serviceName }, 3_600);
  };
  let session: Session;
  try {
    session = open();
  } catch (error) {
    throw validationError(`Role ${options.roleArn} is invalid or cannot be assumed: ${messageOf(error)}`);
  }
  return {
    get clients() {
      if (session.credentials.expiration.getTime() - context.clock.now().getTime() < renewBeforeMilliseconds) {
        session = open();
      }
      return context.clients(session.credentials, options.region);
    },
  };
}

/** Reads an SSM parameter, NAME or NAME:VERSION, by the call that CloudFormation itself makes (ssm:GetParameters). */
export async function readSsmParameter(clients: ClientSet, name: string): Promise<string> {
  const { GetParametersCommand } = await import('@aws-sdk/client-ssm');
  const { Parameters } = await clients.ssm.send(new GetParametersCommand({ Names: [name] }));
  const value = Parameters?.[0]?.Value;
  if (value === undefined) throw new Error(`Parameter ${name} not found.`);
  return value;
}
