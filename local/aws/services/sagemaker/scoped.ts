import type { Scope } from './scope.ts';

/** One value per account and region, made when first asked for. */
export interface Scoped<T> {
  of(scope: Scope): T;
}

export function scoped<T>(create: (scope: Scope) => T): Scoped<T> {
  const values = new Map<string, T>();
  return {
    of(scope) {
      const key = `${scope.account}/${scope.region}`;
      const found = values.get(key);
      if (found !== undefined) return found;
      const created = create(scope);
      values.set(key, created);
      return created;
    },
  };
}
