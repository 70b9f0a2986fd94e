/**
 * GitHub's filter patterns for branches, tags and paths. They are no globs of the usual kind: `*` any characters but `/`,
 * `**` any characters, `?` zero or one and `+` one or more of the preceding character, `[]` one character of a set or range
 * (letters and digits only), `\` escapes, `!` at the start takes back what earlier patterns let in.
 */
export function patternToRegExp(pattern: string): RegExp {
  let source = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    if (character === '\\' && index + 1 < pattern.length) {
      source += escapeCharacter(pattern[++index]!);
    } else if (character === '*') {
      if (pattern[index + 1] === '*') {
        index++;
        // `**/` also matches nothing at all: `**/README.md` is every README.md, the root's too.
        if (pattern[index + 1] === '/') {
          index++;
          source += '(?:.*/)?';
        } else source += '.*';
      } else source += '[^/]*';
    } else if ((character === '?' || character === '+') && source !== '') {
      source += character;
    } else if (character === '[') {
      const end = pattern.indexOf(']', index + 1);
      if (end < 0) throw new Error(`the pattern '${pattern}' has a [ without ]`);
      const set = pattern.slice(index + 1, end);
      if (!/^[A-Za-z0-9-]+$/.test(set))
        throw new Error(`the pattern '${pattern}' has a set that is not of letters, digits and ranges`);
      source += `[${set}]`;
      index = end;
    } else source += escapeCharacter(character);
  }
  return new RegExp(`^${source}$`, 's');
}

function escapeCharacter(character: string): string {
  return character.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** The last pattern that matches decides; a list that starts with `!` lets nothing in by itself. */
export function matchesFilter(patterns: readonly string[], name: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    const negative = pattern.startsWith('!');
    if (patternToRegExp(negative ? pattern.slice(1) : pattern).test(name)) matched = !negative;
  }
  return matched;
}

export interface PushFilters {
  branches?: string[];
  branchesIgnore?: string[];
  tags?: string[];
  tagsIgnore?: string[];
  paths?: string[];
  pathsIgnore?: string[];
}

export interface PushFacts {
  /** refs/heads/NAME or refs/tags/NAME */
  ref: string;
  /** Files that the push changed; undefined when GitHub makes no diff: first push, force push, very large diff. Then paths match. */
  changed: readonly string[] | undefined;
}

/** Does a push start a workflow with these filters? */
export function pushMatches(filters: PushFilters, push: PushFacts): boolean {
  const tag = push.ref.startsWith('refs/tags/');
  const name = push.ref.replace(/^refs\/(heads|tags)\//, '');
  const branchRules = filters.branches ?? filters.branchesIgnore;
  const tagRules = filters.tags ?? filters.tagsIgnore;
  if (tag) {
    // Path filters are not evaluated for pushes of tags.
    if (!tagRules) return branchRules === undefined;
    return filters.tags ? matchesFilter(filters.tags, name) : !matchesFilter(filters.tagsIgnore!, name);
  }
  if (!branchRules && tagRules) return false;
  if (filters.branches && !matchesFilter(filters.branches, name)) return false;
  if (filters.branchesIgnore && matchesFilter(filters.branchesIgnore, name)) return false;
  if (push.changed === undefined) return true;
  if (filters.paths) return push.changed.some((path) => matchesFilter(filters.paths!, path));
  if (filters.pathsIgnore) return push.changed.some((path) => !matchesFilter(filters.pathsIgnore!, path));
  return true;
}

/** What a pull request may be filtered by. */
export interface PullFilters extends Pick<PushFilters, 'branches' | 'branchesIgnore' | 'paths' | 'pathsIgnore'> {
  types: string[];
}

export interface PullEvent {
  action: string;
  /** Branch that the pull request goes into. */
  base: string;
  /** Files that differ from where the branches parted; undefined for a very large diff, which matches. */
  changed: readonly string[] | undefined;
}

/** Does an event of a pull request start a workflow with these filters? */
export function pullMatches({ types, ...filters }: PullFilters, { action, base, changed }: PullEvent): boolean {
  return types.includes(action) && pushMatches(filters, { ref: `refs/heads/${base}`, changed });
}
