import type { Command } from '../command.ts';
import { Control } from '../control.ts';
import { didYouMean, UserError } from '../errors.ts';
import { type PlatformState, runningPlatform } from '../state.ts';

export const command: Command = {
  help: `Prints the variables with which your own aws, boto3 or SDK talks to one account of the platform.

  eval "$(npx sagemaker-mlops env development)"
  aws sagemaker list-model-packages --model-package-group-name GROUP

Usage: npx sagemaker-mlops env ACCOUNT [--role NAME] [--region REGION] [--json]
  ACCOUNT   name or number; "npx sagemaker-mlops status" lists them
  --role    a role of that account instead of OrganizationAccountAccessRole; "data-scientist" is
            short for the project's sagemaker-N-Id-data-scientist
  --region  another region than the world's
  --json    as JSON instead of export lines

The keys are temporary (one hour) and mean nothing outside this platform.
A new shell forgets them. Exit code: 0, 1 no such role or platform, 2 wrong usage.`,
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
    const credentials = await control.credentials(account.id, roleName(values['role'] as string | undefined, state));
    const region = (values['region'] as string | undefined) ?? state.project?.region ?? state.region ?? 'eu-west-1';
    if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
      throw new UserError(`--region is "${region}": give a region such as eu-west-1.`, 2);
    }
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

/** The project's people need not type the project's prefix: data-scientist is sagemaker-N-Id-data-scientist. */
function roleName(role: string | undefined, { project }: PlatformState): string | undefined {
  return role === 'data-scientist' && project !== undefined ? `sagemaker-${project.name}-${project.id}-${role}` : role;
}
