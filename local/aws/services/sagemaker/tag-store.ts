import type { Tag } from '@aws-sdk/client-sagemaker';
import { validationError } from './problems.ts';
import { keyOf } from './scope.ts';

const limit = 50;

/**
 * The tags of every resource, by ARN. A resource that exists has an entry, also without tags: that is how AddTags
 * knows that an ARN means something.
 */
export interface TagStore {
  create(arn: string, tags?: Tag[] | undefined): void;
  remove(arn: string): void;
  /** Undefined when the resource does not exist. */
  get(arn: string): Record<string, string> | undefined;
  /** Replaces tags with the same key, keeps the rest. Throws ValidationException above 50 tags. */
  add(arn: string, tags: Tag[]): Tag[];
  drop(arn: string, keys: string[]): void;
  list(arn: string): Tag[];
}

export function createTagStore(): TagStore {
  const entries = new Map<string, Map<string, string>>();

  function entry(arn: string): Map<string, string> {
    const found = entries.get(keyOf(arn));
    if (found === undefined) throw validationError(`Could not find a resource with ARN ${arn}.`);
    return found;
  }
  function check(tags: Tag[]): void {
    const keys = tags.map((tag) => tag.Key);
    const repeated = keys.find((key, index) => keys.indexOf(key) !== index);
    if (repeated !== undefined) throw validationError(`Duplicate tag key: ${repeated}`);
    const reserved = keys.find((key) => key?.toLowerCase().startsWith('aws:'));
    if (reserved !== undefined) throw validationError(`Tag key ${reserved} starts with the reserved prefix aws:`);
  }
  function merge(into: Map<string, string>, tags: Tag[]): void {
    check(tags);
    const merged = new Map(into);
    for (const tag of tags) merged.set(tag.Key ?? '', tag.Value ?? '');
    if (merged.size > limit) {
      throw validationError(`A resource can have ${limit} tags; this request would make it ${merged.size}.`);
    }
    into.clear();
    for (const [key, value] of merged) into.set(key, value);
  }

  return {
    create(arn, tags = []) {
      const created = new Map<string, string>();
      merge(created, tags);
      entries.set(keyOf(arn), created);
    },
    remove(arn) {
      entries.delete(keyOf(arn));
    },
    get(arn) {
      const found = entries.get(keyOf(arn));
      return found === undefined ? undefined : Object.fromEntries(found);
    },
    add(arn, tags) {
      merge(entry(arn), tags);
      return this.list(arn);
    },
    drop(arn, keys) {
      const found = entry(arn);
      for (const key of keys) found.delete(key);
    },
    list(arn) {
      return [...entry(arn)].map(([Key, Value]) => ({ Key, Value }));
    },
  };
}
