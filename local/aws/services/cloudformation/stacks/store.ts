import { AwsError } from '../../../core/errors.ts';
import { validationError } from '../errors.ts';
import type { Stack } from './model.ts';

export interface StackExport {
  name: string;
  value: string;
  stackId: string;
}

/** All stacks of all accounts and regions, deleted ones included (they stay readable by their ARN for 90 days). */
export class StackStore {
  readonly #byId = new Map<string, Stack>();
  readonly #live = new Map<string, Stack>();
  /** Long template bodies that stack sets distribute. */
  readonly distributedBodies = new Set<string>();

  #key(account: string, region: string, name: string): string {
    return `${account}/${region}/${name}`;
  }

  add(stack: Stack): void {
    this.#byId.set(stack.id, stack);
    this.#live.set(this.#key(stack.account, stack.region, stack.name), stack);
  }

  /** To be called when a stack reaches DELETE_COMPLETE: from then on only its ARN finds it. */
  retire(stack: Stack): void {
    const key = this.#key(stack.account, stack.region, stack.name);
    if (this.#live.get(key) === stack) this.#live.delete(key);
  }

  live(account: string, region: string, name: string): Stack | undefined {
    return this.#live.get(this.#key(account, region, name));
  }

  byId(id: string): Stack | undefined {
    return this.#byId.get(id);
  }

  /** By name (live stacks) or ARN (deleted ones too), within one account and region. */
  find(account: string, region: string, nameOrId: string): Stack | undefined {
    if (!nameOrId.startsWith('arn:')) return this.live(account, region, nameOrId);
    const stack = this.#byId.get(nameOrId);
    return stack?.account === account && stack.region === region ? stack : undefined;
  }

  get(account: string, region: string, nameOrId: string | undefined): Stack {
    if (nameOrId === undefined || nameOrId === '') throw validationError('Stack name cannot be empty');
    const stack = this.find(account, region, nameOrId);
    if (stack === undefined) throw validationError(`Stack with id ${nameOrId} does not exist`);
    return stack;
  }

  all(account: string, region: string): Stack[] {
    return [...this.#byId.values()].filter((stack) => stack.account === account && stack.region === region);
  }

  liveStacks(account: string, region: string): Stack[] {
    return [...this.#live.values()].filter((stack) => stack.account === account && stack.region === region);
  }

  exports(account: string, region: string): StackExport[] {
    return this.liveStacks(account, region).flatMap((stack) =>
      stack.outputs
        .filter((output) => output.exportName !== undefined)
        .map((output) => ({ name: output.exportName as string, value: output.value, stackId: stack.id })),
    );
  }
}

/** Pages a list; the token is an opaque offset. */
export function page<T>(items: T[], token: string | undefined, size: number): { items: T[]; next: string | undefined } {
  let start = 0;
  if (token !== undefined) {
    start = Number(
      Buffer.from(token, 'base64url')
        .toString()
        .replace(/^offset:/, ''),
    );
    if (!Number.isInteger(start) || start < 0) throw new AwsError('ValidationError', 'NextToken is not valid');
  }
  const end = start + size;
  return {
    items: items.slice(start, end),
    next: end < items.length ? Buffer.from(`offset:${end}`).toString('base64url') : undefined,
  };
}
