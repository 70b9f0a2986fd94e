/** Sessions of the project's roles, got the way the roles allow it. */
import {
  AssumeRoleCommand,
  type AssumeRoleResponse,
  AssumeRoleWithWebIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import type { Credentials } from '../../../local/aws/core/context.ts';
import type { World } from '../../actions/support/world.ts';
import { region } from '../../support/platform.ts';

function fromSts(answer: AssumeRoleResponse): Credentials {
  const {
    AccessKeyId = '',
    SecretAccessKey = '',
    SessionToken = '',
    Expiration = new Date(),
  } = answer.Credentials ?? {};
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  };
}

/** As a GitHub job of the environment: a token, then the role (its suffix, in the development account). */
export async function assumeByToken(world: World, suffix: string, environment: string): Promise<Credentials> {
  const query = `environment=${environment}&audience=sts.amazonaws.com`;
  const response = await fetch(`${world.url}/_github/oidc/token?${query}`, {
    headers: { authorization: 'Bearer runner' },
  });
  const { value } = (await response.json()) as { value: string };
  const sts = new STSClient({ region, endpoint: world.url });
  return fromSts(
    await sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: world.role(suffix),
        RoleSessionName: 'test',
        WebIdentityToken: value,
      }),
    ),
  );
}

/** Role chaining. */
export async function assumeRole(world: World, credentials: Credentials, roleArn: string): Promise<Credentials> {
  const sts = new STSClient({ region, endpoint: world.url, credentials });
  return fromSts(await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'test' })));
}
