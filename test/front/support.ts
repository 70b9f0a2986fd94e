import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import type { ClientSet } from '../../local/aws/core/context.ts';
import { region, type TestPlatform } from '../support/platform.ts';

export type Statement = Record<string, unknown>;

export const policy = (...statements: Statement[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });

/** A role that its account may assume, with these rights, and clients that act as it. */
export async function roleClients(
  platform: TestPlatform,
  account: string,
  name: string,
  ...rights: Statement[]
): Promise<ClientSet> {
  const { iam } = platform.administrator(account);
  await iam.send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: policy({
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: 'sts:AssumeRole',
      }),
    }),
  );
  if (rights.length > 0) {
    const PolicyDocument = policy(...rights);
    await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: 'rights', PolicyDocument }));
  }
  return platform.platform.context.clients(await platform.credentials(account, name), region);
}

/** "allow", or the error's code. */
export async function outcome(sending: Promise<unknown>): Promise<string> {
  try {
    const answer = (await sending) as { Body?: { transformToString(): Promise<string> } };
    await answer.Body?.transformToString();
    return 'allow';
  } catch (error) {
    const { Code, name } = error as { Code?: string; name: string };
    return Code ?? name;
  }
}
