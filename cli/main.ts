import { parseArgs } from 'node:util';
import type { Command } from './command.ts';
import { didYouMean, UserError } from './errors.ts';
import { endWithParent } from './lifeline.ts';
import { productDirectory } from './state.ts';
import { createTerminal } from './terminal.ts';

// Loaded only when called: `--help` and a mistyped command answer at once.
const commands: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  start: () => import('./commands/start.ts'),
  local: () => import('./commands/local.ts'),
  push: () => import('./commands/push.ts'),
  'pull-request': () => import('./commands/pull-request.ts'),
  dispatch: () => import('./commands/dispatch.ts'),
  logs: () => import('./commands/logs.ts'),
  status: () => import('./commands/status.ts'),
  env: () => import('./commands/env.ts'),
  try: () => import('./commands/try.ts'),
  init: () => import('./commands/init.ts'),
  reset: () => import('./commands/reset.ts'),
};

const overview = `sagemaker-mlops: CI/CD for machine learning on AWS that lives in GitHub; here all on this machine.

  npx sagemaker-mlops COMMAND

  start              a world, a project, a push: a model is trained, registered, gated and deployed
  push               commit and push the project's changes; follows the run
  pull-request       open a pull request with the project's changes; follows its check
  dispatch WORKFLOW  start a workflow by hand (-f name=value for its inputs)
  logs [RUN]         what the jobs of a run printed
  status             accounts, packages, endpoints and runs of the running platform
  env ACCOUNT        variables with which your own aws or boto3 talks to that account
  local              the local platform alone, with an empty world
  try FOLDER         train and judge the model of a project's folder, deploy nothing
  init FOLDER        write a project with your accounts and names into your repository
  reset              remove the local project, its runs and logs

"npx sagemaker-mlops COMMAND --help" tells a command's options.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.`;

async function main(argv: readonly string[]): Promise<number> {
  const terminal = createTerminal();
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.line(name === 'help' && rest[0] !== undefined ? (await commandOf(rest[0])).help : overview);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    const { productVersion } = await import('./project.ts');
    const { version, commit } = await productVersion(productDirectory);
    terminal.line(`sagemaker-mlops ${version} (${commit.slice(0, 12)})`);
    return 0;
  }
  const command = await commandOf(name);
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.line(command.help);
    return 0;
  }
  return command.run(parse(name, command, rest), terminal);
}

async function commandOf(name: string): Promise<Command> {
  const load = commands[name];
  if (load === undefined) {
    throw new UserError(
      `There is no command "${name}".${didYouMean(name, Object.keys(commands))} "npx sagemaker-mlops --help" lists them.`,
      2,
    );
  }
  return (await load()).command;
}

function parse(name: string, command: Command, rest: readonly string[]) {
  const known = Object.keys(command.options).map((option) => `--${option}`);
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options: command.options,
      allowPositionals: true,
      strict: true,
    });
    if (positionals.length > command.positionals.length) {
      throw new UserError(
        `"${name}" takes ${command.positionals.length === 0 ? 'no arguments' : command.positionals.join(' ')}, but got "${positionals.join(' ')}": see "npx sagemaker-mlops ${name} --help".`,
        2,
      );
    }
    return { values: values as Record<string, unknown>, positionals };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    // "--role <value>", "-m, --message <value>", "--mesage": as Node's own sentences name it.
    const option = /(--[\w-]+)/.exec(message)?.[1] ?? /'(-\w)/.exec(message)?.[1] ?? '';
    const what =
      code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
        ? `"${name}" has no option ${option}.${didYouMean(option, known)}${known.length === 0 ? '' : ` It has: ${known.join(', ')}.`}`
        : message.includes('argument missing')
          ? `${option} needs a value.`
          : message.includes('does not take an argument')
            ? `${option} takes no value.`
            : `${message.split('. ')[0]!.replace(/\.$/, '')}.`;
    throw new UserError(`${what} See "npx sagemaker-mlops ${name} --help".`, 2);
  }
}

endWithParent();
// `sagemaker-mlops logs | head`: the reader has enough, which is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UserError) {
    console.error(`sagemaker-mlops: ${error.message}`);
    process.exitCode = error.exitCode;
  } else {
    console.error(error);
    console.error('\nThis is a defect of sagemaker-mlops: please report it with the lines above.');
    process.exitCode = 1;
  }
}
