import { get, type IncomingMessage } from 'node:http';
import { UserError } from './errors.ts';
import type { PlatformState } from './state.ts';

export interface LocalCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** ISO 8601 */
  expiration: string;
}

/** Speaks to the running platform's own routes (`/_local`, `/_github`), guarded by the token of platform.json. */
export class Control {
  readonly url: string;
  readonly #token: string;

  constructor(state: Pick<PlatformState, 'port' | 'token'>) {
    this.url = `http://127.0.0.1:${state.port}`;
    this.#token = state.token;
  }

  async request(method: string, path: string, body?: unknown): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw new UserError(`The local platform at ${this.url} does not answer: start it again with "npm start".`, 1, {
        cause: error,
      });
    }
    if (!response.ok) {
      const text = await response.text();
      let message = text;
      try {
        message =
          (JSON.parse(text) as { message?: string; error?: string }).message ??
          (JSON.parse(text) as { error?: string }).error ??
          text;
      } catch {
        // Not JSON: the text itself says what is wrong.
      }
      throw new UserError(`${message.trim() || `${method} ${path} was answered with HTTP ${response.status}.`}`);
    }
    return response;
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await (await this.request(method, path, body)).json()) as T;
  }

  /** Temporary keys of a role of an account; without `role` those of OrganizationAccountAccessRole. */
  credentials(account: string, role?: string): Promise<LocalCredentials> {
    return this.json('POST', '/_local/credentials', {
      account,
      ...(role === undefined ? {} : { role }),
      sessionName: 'sagemaker-mlops-cli',
    });
  }

  accounts(): Promise<{ id: string; name: string; admin?: boolean }[]> {
    return this.json<{ accounts: { id: string; name: string; admin?: boolean }[] }>('GET', '/_local/accounts').then(
      ({ accounts }) => accounts,
    );
  }

  /**
   * Newline-delimited JSON as it arrives, however long nothing does: fetch would give up after five minutes of silence, and a
   * reviewer may think longer.
   */
  async *lines<T>(path: string): AsyncGenerator<T> {
    let rest = '';
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        get(`${this.url}${path}`, { headers: { authorization: `Bearer ${this.#token}` } }, resolve).on('error', reject);
      });
      if (response.statusCode !== 200) {
        response.resume();
        throw new UserError(`GET ${path} was answered with HTTP ${response.statusCode}.`);
      }
      response.setEncoding('utf8');
      for await (const chunk of response as AsyncIterable<string>) {
        rest += chunk;
        for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
          const line = rest.slice(0, end);
          rest = rest.slice(end + 1);
          if (line.trim() !== '') yield JSON.parse(line) as T;
        }
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      throw new UserError(
        `The local platform at ${this.url} ended while its run was followed: "npx sagemaker-mlops logs" tells how far it came, "npm start" begins anew.`,
        1,
        { cause: error },
      );
    }
  }
}
