import { ListRolesCommand, type Role } from '@aws-sdk/client-iam';
import { accountClients } from '../accounts.ts';
import type { Command } from '../command.ts';
import { Control } from '../control.ts';
import { didYouMean, UserError } from '../errors.ts';
import { type ProjectState, runningPlatform } from '../state.ts';

export const command: Command = {
  help: `Prints the variables with which your own aws, boto3 or SDK talks to one account of the platform.

  eval "$(npx sagemaker-mlops env development)"
  aws sagemaker list-model-packages --model-package-group-name GROUP

Usage: npx sagemaker-mlops env ACCOUNT [--role NAME] [--region REGION] [--json]
  ACCOUNT   name or number; "npx sagemaker-mlops status" lists them
  --role    a role of that account instead of OrganizationAccountAccessRole; of the project's roles
            the end is enough: data-scientist, job, ci-build, ...
  --region  another region than the world's
  --json    as JSON instead of export lines

The keys are temporary (one hour) and mean nothing outside this platform.
A new shell forgets them. Exit code: 0, 1 no platform runs, 2 wrong usage or no such name.`,
  options: { role: { type: 'string' }, region: { type: 'string' }, json: { type: 'boolean' } },
  positionals: ['ACCOUNT'],
  async run({ values, positionals }, terminal) {
    const state = runningPlatform();
    const control = new Control(state);
    const accounts = await control.accounts();
    const wanted = positionals[0];
    const names = accounts.flatMap(({ id, name }) => [name, id]);
    if (wanted === undefined) {
      throw new UserError(`"env" needs an account, one of ${accounts.map(({ name }) => name).join(', ')}.`, 2);
    }
    const account = accounts.find(({ id, name }) => id === wanted || name === wanted);
    if (account === undefined) {
      throw new UserError(
        `There is no account "${wanted}" in this world.${didYouMean(wanted, names)} It has: ${accounts.map(({ name }) => name).join(', ')}.`,
        2,
      );
    }
    const region = (values['region'] as string | undefined) ?? state.project?.region ?? state.region ?? 'eu-west-1';
    if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
      throw new UserError(`--region is "${region}": give a region such as eu-west-1.`, 2);
    }
    const wantedRole = values['role'] as string | undefined;
    const role =
      wantedRole === undefined ? undefined : await findRole(control, account, region, wantedRole, state.project);
    const credentials = await control.credentials(account.id, role?.RoleName).catch((error: Error) => {
      if (role === undefined) throw error;
      throw new UserError(
        `Role ${role.RoleName} of account ${account.name} cannot be taken by hand: its trust policy lets in ${trusted(role)}.`,
        2,
        { cause: error },
      );
    });
    const variables: Record<string, string> = {
      AWS_ENDPOINT_URL: control.url,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    if (values['json'] === true) terminal.line(JSON.stringify(variables, undefined, 2));
    else for (const [name, value] of Object.entries(variables)) terminal.line(`export ${name}='${value}'`);
    return 0;
  },
};

/** A role of the account by its whole name, or of the project's own by what follows its prefix. Throws a UserError with all names. */
async function findRole(
  control: Control,
  account: { id: string; name: string },
  region: string,
  wanted: string,
  project: ProjectState | undefined,
): Promise<Role> {
  const { iam } = accountClients(control, account.id, region);
  const { Roles = [] } = await iam.send(new ListRolesCommand({ MaxItems: 1000 }));
  const names = Roles.map(({ RoleName }) => RoleName!);
  const prefix = project === undefined ? undefined : `sagemaker-${project.name}-${project.id}-`;
  const found = [wanted, `${prefix}${wanted}`].map((name) => Roles.find(({ RoleName }) => RoleName === name));
  const role = found[0] ?? found[1];
  if (role !== undefined) return role;
  const short = names.map((name) =>
    prefix !== undefined && name.startsWith(prefix) ? name.slice(prefix.length) : name,
  );
  throw new UserError(
    `Account ${account.name} has no role "${wanted}".${didYouMean(wanted, [...short, ...names])} It has: ${short.join(', ')}.`,
    2,
  );
}

/** Whom a role's trust policy names: services, accounts and roles, identity providers. */
function trusted({ AssumeRolePolicyDocument }: Role): string {
  const { Statement } = JSON.parse(decodeURIComponent(AssumeRolePolicyDocument ?? '{"Statement":[]}')) as {
    Statement: { Principal?: Record<string, string | string[]> }[];
  };
  const principals = Statement.flatMap(({ Principal = {} }) => Object.values(Principal).flat());
  return `only ${[...new Set(principals)].map((principal) => principal.replace(/^arn:.*oidc-provider\//, 'tokens of ')).join(', ')}`;
}
