import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Git } from './git.ts';
import { installHook } from './hook.ts';
import { commitOrigin, exists, mappedOrigin, type Origin } from './origin.ts';
import type { RepositoryState } from './repository-state.ts';
import { ConcurrencyGroups } from './run/concurrency.ts';
import { Environments } from './run/environments.ts';
import type { GitHubOptions, Repository } from './types.ts';

/** A stable number in GitHub's usual size, so that names derived from it stay the same from start to start. */
function stableId(text: string): number {
  const hash = createHash('sha256').update(text.toLowerCase()).digest('hex');
  return 100_000_000 + (Number.parseInt(hash.slice(0, 12), 16) % 900_000_000);
}

/** The repositories of this machine: bare ones that were created here, and folders that stand for others. */
export class Repositories {
  readonly states = new Map<string, RepositoryState>();
  readonly #mappings = new Map<string, string>();
  readonly #options: GitHubOptions;
  readonly #git: Git;

  constructor(options: GitHubOptions, git: Git) {
    this.#options = options;
    this.#git = git;
  }

  find(fullName: string): RepositoryState | undefined {
    return this.states.get(fullName.toLowerCase());
  }

  need(fullName: string): RepositoryState {
    const state = this.find(fullName);
    if (!state) throw new Error(`There is no repository ${fullName}.`);
    return state;
  }

  map(fullName: string, directory: string): void {
    this.#mappings.set(fullName.toLowerCase(), resolve(directory));
  }

  /** Makes the bare repository (or takes the one that is there) and its hook. */
  async create(wanted: {
    owner: string;
    name: string;
    defaultBranch: string;
    id: number | undefined;
    immutableSubject: boolean;
  }): Promise<Repository> {
    const { owner, name, defaultBranch, immutableSubject } = wanted;
    const fullName = `${owner}/${name}`;
    if (!/^[A-Za-z0-9-]+$/.test(owner) || !/^[A-Za-z0-9._-]+$/.test(name)) {
      throw new Error(`'${fullName}' is no repository name: letters, digits, - and in the second part . and _.`);
    }
    const gitDirectory = resolve(this.#options.directory, 'repositories', owner, `${name}.git`);
    if (!(await exists(gitDirectory))) {
      await mkdir(gitDirectory, { recursive: true });
      await this.#git.run(['init', '--quiet', '--bare', '--initial-branch', defaultBranch, gitDirectory]);
      // A job fetches the very commit of its run, whatever the branch has become meanwhile.
      await this.#git.run(['--git-dir', gitDirectory, 'config', 'uploadpack.allowAnySHA1InWant', 'true']);
    }
    const repository: Repository = {
      id: wanted.id ?? stableId(fullName),
      ownerId: stableId(owner),
      owner,
      name,
      fullName,
      defaultBranch,
      gitDirectory,
      url: gitDirectory,
    };
    await installHook(gitDirectory, {
      url: `${this.#options.baseUrl()}/_github/internal/push?repository=${encodeURIComponent(fullName)}`,
      token: this.#options.token,
      node: this.#options.tools.node,
    });
    this.states.set(fullName.toLowerCase(), {
      repository,
      variables: {},
      environments: new Environments(repository.id, () => this.#options.clock.now()),
      concurrency: new ConcurrencyGroups(),
      immutableSubject,
      runNumbers: new Map(),
      issues: [],
      pulls: [],
    });
    return repository;
  }

  /** OWNER/REPO@REF, or why it cannot be used. */
  async resolve(fullName: string, ref: string): Promise<Origin | string> {
    const cache = join(this.#options.directory, 'commits');
    const directory = this.#mappings.get(fullName.toLowerCase());
    if (directory !== undefined) {
      const origin = await mappedOrigin({ git: this.#git, directory, repository: fullName, ref, cache });
      return origin ?? `${fullName} has no ref '${ref}' in ${directory}`;
    }
    const own = this.find(fullName)?.repository;
    if (!own) {
      return (
        `${fullName} is not on this machine; only mapped repositories, those created here ` +
        "and the stand-ins of GitHub's own actions can be used"
      );
    }
    for (const candidate of [`refs/tags/${ref}`, `refs/heads/${ref}`, ref]) {
      const sha = await this.#git.resolve(own.gitDirectory, candidate);
      if (!sha) continue;
      return commitOrigin({
        git: this.#git,
        gitDirectory: own.gitDirectory,
        repository: own.fullName,
        ref: candidate,
        sha,
        cache,
      });
    }
    return `${fullName} has no ref '${ref}'`;
  }
}
