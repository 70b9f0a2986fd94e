import { randomBytes } from 'node:crypto';
import type { JobState } from '../run/state.ts';
import { sameToken } from './http.ts';

/** On whose behalf a REST call is made. */
export type Caller =
  /** GITHUB_TOKEN of a running job: the job's permissions, on its repository only. */
  | { kind: 'job'; job: JobState; login: 'github-actions[bot]' }
  /** A person's own token: everything, under that name. */
  | { kind: 'user'; login: string }
  /** The platform's own token: everything. */
  | { kind: 'platform'; login: string };

/** Tokens that are good right now. A job's two end with it. */
export class Tokens {
  readonly #platform: string;
  readonly #platformLogin: string;
  readonly #jobs = new Map<string, JobState>();
  readonly #requests = new Map<string, JobState>();
  readonly #users = new Map<string, string>();

  constructor(platform: string, platformLogin: string) {
    this.#platform = platform;
    this.#platformLogin = platformLogin;
  }

  authorize(job: JobState, tokens: { github: string; request: string }): () => void {
    this.#jobs.set(tokens.github, job);
    this.#requests.set(tokens.request, job);
    return () => {
      this.#jobs.delete(tokens.github);
      this.#requests.delete(tokens.request);
    };
  }

  forUser(login: string): string {
    const known = [...this.#users].find(([, owner]) => owner === login)?.[0];
    if (known) return known;
    const token = `ghp_${randomBytes(24).toString('hex')}`;
    this.#users.set(token, login);
    return token;
  }

  isPlatform(token: string | undefined): boolean {
    return sameToken(token, this.#platform);
  }

  caller(token: string | undefined): Caller | undefined {
    if (token === undefined) return undefined;
    if (this.isPlatform(token)) return { kind: 'platform', login: this.#platformLogin };
    const job = this.#jobs.get(token);
    if (job) return { kind: 'job', job, login: 'github-actions[bot]' };
    const login = this.#users.get(token);
    return login === undefined ? undefined : { kind: 'user', login };
  }

  /** The job that may ask for ID tokens with this request token. */
  requester(token: string | undefined): JobState | undefined {
    return token === undefined ? undefined : this.#requests.get(token);
  }
}
