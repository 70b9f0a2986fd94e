import type { AuthorizationRequest } from '../../core/service.ts';

export type ContextValue = NonNullable<AuthorizationRequest['context']>[string];

/** Condition keys of one request. Key names are not case-sensitive; every value is kept as text, as policies compare it. */
export class RequestContext {
  readonly #values = new Map<string, readonly string[]>();
  readonly #multivalued = new Set<string>();

  /** Sets a key; undefined leaves it absent. An array makes the key multivalued, an empty array is an absent key. */
  set(key: string, value: ContextValue | undefined): void {
    if (value === undefined) return;
    const name = key.toLowerCase();
    if (Array.isArray(value)) {
      this.#multivalued.add(name);
      if (value.length > 0) this.#values.set(name, value.map(String));
      return;
    }
    this.#values.set(name, [value instanceof Date ? value.toISOString().replace('.000Z', 'Z') : String(value)]);
  }

  get(key: string): readonly string[] | undefined {
    return this.#values.get(key.toLowerCase());
  }

  isMultivalued(key: string): boolean {
    return this.#multivalued.has(key.toLowerCase());
  }
}
