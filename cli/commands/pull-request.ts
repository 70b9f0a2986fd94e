import type { Command } from '../command.ts';
import { Control } from '../control.ts';
import { UserError } from '../errors.ts';
import { commitAndPush, git } from '../project.ts';
import { type Check, obstacleOf } from '../pull-checks.ts';
import { type ProjectState, runningPlatform, runningProject } from '../state.ts';
import type { Terminal } from '../terminal.ts';
import { followRuns } from './push.ts';

const main = 'main';

interface Pull {
  number: number;
  title: string;
  mergeable: boolean;
  head: { sha: string };
}

export const command: Command = {
  help: `Opens a pull request with what you changed in the running platform's project and follows its check:
files, differences from main, tests, and the changed model trained and judged by its gate.

  Change something in .sagemaker-mlops/project, e.g. NumRound: 20 in model-build/build.yml, then
  npx sagemaker-mlops pull-request -m "Fewer rounds"
  npx sagemaker-mlops pull-request --merge

Usage: npx sagemaker-mlops pull-request [-m MESSAGE] [--branch NAME] [--merge [--force]] [--verbose]
  -m, --message   the commit's message and the title (default: the names of the changed files)
  --branch        the branch to make (default change-1, change-2, ...); the project stays on it, and
                  further changes there go into the same pull request
  --merge         merge the pull request of this branch into main and follow what that starts;
                  refused unless the check of its newest commit succeeded
  --force         with --merge: merge whatever the check says
  --verbose       every line of every job

Pull requests are of branches of this repository; forks, drafts and reviews are GitHub's alone.
Exit code: 0 all runs succeeded (or none was started), 1 one failed, 2 wrong usage.`,
  options: {
    message: { type: 'string', short: 'm' },
    branch: { type: 'string' },
    merge: { type: 'boolean' },
    force: { type: 'boolean' },
    verbose: { type: 'boolean' },
  },
  positionals: [],
  async run({ values }, terminal) {
    const state = runningPlatform();
    const project = runningProject(state);
    const github = new Repository(new Control(state), project);
    const verbose = values['verbose'] === true;
    if (values['merge'] === true) {
      for (const option of ['message', 'branch'])
        if (values[option] !== undefined)
          throw new UserError(`--merge goes without --${option}: it merges what the branch holds.`, 2);
      const before = await merge(github, project, terminal, values['force'] === true);
      return github.follow(before, terminal, verbose);
    }
    if (values['force'] === true)
      throw new UserError('--force goes with --merge: it merges whatever the check says.', 2);
    const branch = await branchFor(github, project, values['branch'] as string | undefined);
    const message = await commitMessage(project, values['message'] as string | undefined);
    const before = await github.newestRun();
    if (message === undefined) await git(project.directory, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
    else await commitAndPush(project.directory, message);
    const open = await github.pullOf(branch);
    const title = message ?? (await git(project.directory, 'log', '-1', '--format=%s'));
    const pull = open ?? (await github.open(branch, title));
    terminal.line(
      `Pull request ${pull.number} "${pull.title}": ${branch} into ${main} of ${project.repository}${open === undefined ? '' : ', new commits'}`,
    );
    if (!(await github.pull(pull.number)).mergeable) {
      throw new UserError(
        `${branch} is in conflict with ${main}, so no workflow starts: merge ${main} into it (git -C ${project.directory} merge ${main}), then open it again.`,
      );
    }
    const code = await github.follow(before, terminal, verbose);
    const obstacle = await github.obstacle(await git(project.directory, 'rev-parse', 'HEAD'));
    terminal.line(obstacle ?? `To merge it into ${main}: "npx sagemaker-mlops pull-request --merge".`);
    return code;
  },
};

/** The local GitHub's answers about one repository. */
class Repository {
  readonly #control: Control;
  readonly #project: ProjectState;

  constructor(control: Control, project: ProjectState) {
    this.#control = control;
    this.#project = project;
  }

  pullOf(branch: string): Promise<Pull | undefined> {
    const head = encodeURIComponent(`${this.#project.repository.split('/')[0]}:${branch}`);
    return this.#api<Pull[]>('GET', `pulls?head=${head}&base=${main}`).then(([pull]) => pull);
  }

  pull(number: number): Promise<Pull> {
    return this.#api('GET', `pulls/${number}`);
  }

  open(head: string, title: string): Promise<Pull> {
    return this.#api('POST', 'pulls', { title, head, base: main });
  }

  async pulls(): Promise<number> {
    return (await this.#api<Pull[]>('GET', 'pulls?state=all&per_page=100')).length;
  }

  async newestRun(): Promise<number> {
    return (await this.#runs(1))[0]?.id ?? 0;
  }

  /** Why the commit should not be merged; undefined when its check succeeded. */
  async obstacle(commit: string): Promise<string | undefined> {
    const path = `actions/runs?event=pull_request&head_sha=${commit}&per_page=100`;
    return obstacleOf((await this.#api<{ workflow_runs: Check[] }>('GET', path)).workflow_runs, commit);
  }

  /** Prints the runs that were started after this one; 0 when all of them succeeded. */
  async follow(after: number, terminal: Terminal, verbose: boolean): Promise<number> {
    const started = (await this.#runs(20)).filter(({ id }) => id > after);
    if (started.length === 0) terminal.line('No workflow starts: their triggers in .github/workflows decide.');
    const runs = started.map(({ id }) => id).reverse();
    return followRuns(this.#control, runs, terminal, verbose);
  }

  async #runs(count: number): Promise<{ id: number }[]> {
    return (await this.#api<{ workflow_runs: { id: number }[] }>('GET', `actions/runs?per_page=${count}`))
      .workflow_runs;
  }

  #api<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    return this.#control.json<T>(method, `/_github/api/repos/${this.#project.repository}/${path}`, body);
  }
}

const currentBranch = ({ directory }: ProjectState) => git(directory, 'rev-parse', '--abbrev-ref', 'HEAD');
const status = ({ directory }: ProjectState) => git(directory, 'status', '--porcelain');

/** The branch that the pull request is made of: a new one from main, or the one the project is on. */
async function branchFor(github: Repository, project: ProjectState, wanted: string | undefined): Promise<string> {
  const current = await currentBranch(project);
  if (current !== main) {
    if (wanted !== undefined && wanted !== current)
      throw new UserError(
        `The project is on the branch ${current} already: leave --branch out, or switch to ${main} first.`,
        2,
      );
    return current;
  }
  if ((await status(project)) === '')
    throw new UserError(`Nothing has changed in ${project.directory}: edit something there, then open a pull request.`);
  const branch = wanted ?? `change-${(await github.pulls()) + 1}`;
  await git(project.directory, 'switch', '--quiet', '-c', branch);
  return branch;
}

/** undefined when there is nothing to commit. */
async function commitMessage(project: ProjectState, message: string | undefined): Promise<string | undefined> {
  const changed = (await status(project)).split('\n').filter((line) => line !== '');
  if (changed.length === 0) return undefined;
  return (
    message ??
    `Change ${changed
      .slice(0, 3)
      .map((line) => line.replace(/^\s*\S+\s+/, ''))
      .join(', ')}`
  );
}

/** Merges as GitHub's button does, by a commit on main; the answer is the newest run before it. */
async function merge(github: Repository, project: ProjectState, terminal: Terminal, force: boolean): Promise<number> {
  const branch = await currentBranch(project);
  const pull = branch === main ? undefined : await github.pullOf(branch);
  if (pull === undefined)
    throw new UserError(
      `The project is on the branch ${branch}, which has no open pull request: switch to one that has.`,
    );
  if ((await status(project)) !== '')
    throw new UserError(
      `${project.directory} has changes that are in no commit: "npx sagemaker-mlops pull-request" adds them first.`,
    );
  if (!pull.mergeable)
    throw new UserError(
      `${branch} is in conflict with ${main}: merge ${main} into it (git -C ${project.directory} merge ${main}) first.`,
    );
  // What is merged is the branch as it is here, also a commit that was never pushed.
  const obstacle = force ? undefined : await github.obstacle(await git(project.directory, 'rev-parse', 'HEAD'));
  if (obstacle !== undefined) throw new UserError(`${obstacle} "--merge --force" merges nevertheless.`);
  const before = await github.newestRun();
  const owner = project.repository.split('/')[0];
  const message = `Merge pull request #${pull.number} from ${owner}/${branch}\n\n${pull.title}`;
  const { directory } = project;
  await git(directory, 'switch', '--quiet', main);
  await git(
    directory,
    '-c',
    'user.name=sagemaker-mlops',
    '-c',
    'user.email=sagemaker-mlops@localhost',
    'merge',
    '--quiet',
    '--no-ff',
    '-m',
    message,
    branch,
  );
  await git(directory, 'push', '--quiet', 'origin', `HEAD:refs/heads/${main}`);
  terminal.line(
    `Merged pull request ${pull.number} into ${main} of ${project.repository}; the project is on ${main} again.`,
  );
  return before;
}
