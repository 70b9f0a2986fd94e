import type { Git } from '../git.ts';
import type { History } from '../history.ts';
import type { OidcIssuer } from '../oidc.ts';
import type { RepositoryState } from '../repository-state.ts';
import type { RunStore } from '../run/runs.ts';
import type { GitHubOptions, LocalGitHub } from '../types.ts';
import type { Tokens } from './tokens.ts';

/** What the routes work on. */
export interface ApiContext {
  options: GitHubOptions;
  tokens: Tokens;
  runs: RunStore;
  repositories: ReadonlyMap<string, RepositoryState>;
  github: LocalGitHub;
  history: History;
  git: Git;
  issuer: OidcIssuer;
}
