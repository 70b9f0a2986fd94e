import type { OrganizationalUnit, World } from '../../local/aws/core/world.ts';
import { parsePort } from '../arguments.ts';
import type { Command } from '../command.ts';
import { startLocalWorld } from '../platform.ts';
import { preparePython } from '../python.ts';
import { exitCodeOf, untilStopped } from '../signals.ts';
import { stateDirectory } from '../state.ts';
import { cut, table } from '../terminal.ts';
import { readWorld } from '../world-file.ts';

export const command: Command = {
  help: `Starts the local platform alone: empty accounts, until Ctrl-C.

  npx sagemaker-mlops local
  eval "$(npx sagemaker-mlops env development)"    (in another terminal)
  aws sts get-caller-identity

Usage: npx sagemaker-mlops local [--port N] [--world FILE]
  --port   port on 127.0.0.1 (default 4577; 0 takes a free one)
  --world  YAML with a world of your own instead of the four accounts of npm start:
             region: eu-west-1
             regions: [eu-central-1]     (others that answer; without this line every region does)
             accounts: [{id: "111122223333", name: development, admin: true}]
             organizational-units: [{name: workloads, accounts: [development], units: []}]
             clock: {mode: by-hand}      (at-once, scaled with factor, by-hand)
           All of it: docs/local-world.md

Exit code: 130 ended by Ctrl-C, 143 by SIGTERM, 1 could not start, 2 wrong usage.`,
  options: { port: { type: 'string' }, world: { type: 'string' } },
  positionals: [],
  async run({ values }, terminal) {
    const port = parsePort(values['port']);
    const world = readWorld(values['world'] as string | undefined);
    const python = await preparePython(terminal);
    const local = await startLocalWorld({
      world,
      port,
      stateDirectory: stateDirectory(),
      python,
      warn: (message) => terminal.line(terminal.yellow(message)),
    });
    for (const line of describeWorld(world, local.platform.url)) terminal.line(line);
    return exitCodeOf(await untilStopped(() => local.close()));
  },
};

/** More accounts would not fit a screen. */
const shownAccounts = 20;

/** Address, regions, accounts with their places in the organization, and what to type next. */
export function describeWorld(world: World, url: string): string[] {
  const places = placesOf(world.organizationalUnits ?? []);
  const rows = world.accounts.map(({ id, name, admin }) => [
    id,
    name,
    [places.get(id) ?? '', admin === true ? '(manages the organization)' : ''].filter((part) => part !== '').join(' '),
  ]);
  const more = rows.length - shownAccounts;
  const regions = world.regions?.join(', ') ?? `${world.region} and every other region`;
  const [first] = world.accounts;
  // Names may hold what a shell would read.
  const account = /^[\w.-]+$/.test(first!.name) ? first!.name : first!.id;
  return [
    `The local platform answers at ${url} (${cut(regions, 60)}):`,
    ...table(rows.slice(0, shownAccounts)).map((line) => cut(line)),
    ...(more > 0 ? [`  and ${more} more: aws organizations list-accounts`] : []),
    `In another terminal: eval "$(npx sagemaker-mlops env ${account})", then aws or boto3. Ctrl-C ends it.`,
  ];
}

/** The units above each account, outermost first. */
function placesOf(units: readonly OrganizationalUnit[], above = ''): Map<string, string> {
  return new Map(
    units.flatMap(({ name, accounts = [], units: below = [] }) => [
      ...accounts.map((account): [string, string] => [account, `${above}${name}`]),
      ...placesOf(below, `${above}${name}/`),
    ]),
  );
}
