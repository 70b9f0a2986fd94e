import { parsePort } from '../arguments.ts';
import type { Command } from '../command.ts';
import { startLocalWorld } from '../platform.ts';
import { preparePython } from '../python.ts';
import { exitCodeOf, untilStopped } from '../signals.ts';
import { stateDirectory } from '../state.ts';
import { table } from '../terminal.ts';
import { readWorld } from '../world-file.ts';

export const command: Command = {
  help: `Starts the local platform alone: empty accounts, until Ctrl-C.

  npx sagemaker-mlops local
  eval "$(npx sagemaker-mlops env development)"    (in another terminal)
  aws sts get-caller-identity

Usage: npx sagemaker-mlops local [--port N] [--world FILE]
  --port   port on 127.0.0.1 (default 4577; 0 takes a free one)
  --world  YAML with region, accounts and clock instead of the four accounts of npm start:
             region: eu-west-1
             accounts: [{id: "111122223333", name: development, admin: true}]
             clock: {mode: by-hand}      (at-once, scaled with factor, by-hand)

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
    terminal.line(`The local platform answers at ${local.platform.url} (${world.region}):`);
    for (const line of table(world.accounts.map(({ id, name }) => [id, name]))) terminal.line(line);
    terminal.line(
      'In another terminal: eval "$(npx sagemaker-mlops env development)", then aws or boto3. Ctrl-C ends it.',
    );
    return exitCodeOf(await untilStopped(() => local.close()));
  },
};
