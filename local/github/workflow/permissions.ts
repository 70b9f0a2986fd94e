import type { Value } from './yaml.ts';

export const scopes = [
  'actions',
  'artifact-metadata',
  'attestations',
  'checks',
  'code-quality',
  'contents',
  'copilot-requests',
  'deployments',
  'discussions',
  'drives',
  'id-token',
  'issues',
  'models',
  'packages',
  'pages',
  'pull-requests',
  'repository-projects',
  'security-events',
  'statuses',
  'vulnerability-alerts',
] as const;
export type Scope = (typeof scopes)[number];
export type Access = 'none' | 'read' | 'write';
/** A scope that is missing has no access. */
export type Permissions = Partial<Record<Scope, Access>>;

const rank: Record<Access, number> = { none: 0, read: 1, write: 2 };
/** Scopes that GitHub grants for reading only, whatever is asked. */
const readOnly: readonly Scope[] = ['models', 'vulnerability-alerts'];

/** And scopes that have no reading. */
const writeOnly: readonly Scope[] = ['id-token', 'copilot-requests'];

/** What a workflow without `permissions` gets in a repository with GitHub's restricted default. */
export const defaultPermissions: Permissions = { contents: 'read', packages: 'read' };

export function all(access: 'read' | 'write'): Permissions {
  const result: Permissions = {};
  for (const scope of scopes) {
    if (writeOnly.includes(scope) && access === 'read') continue;
    result[scope] = readOnly.includes(scope) ? 'read' : access;
  }
  return result;
}

export function readPermissions(value: Value): Permissions {
  if (typeof value.scalar === 'string') {
    if (value.scalar === 'read-all') return all('read');
    if (value.scalar === 'write-all') return all('write');
  }
  if (!value.isMap) {
    value.problem("permissions must be 'read-all', 'write-all' or a mapping of scopes");
    return {};
  }
  const result: Permissions = {};
  for (const [scope, access] of value.entries('permissions')) {
    const wanted = access.text(`permissions.${scope}`);
    if (!(scopes as readonly string[]).includes(scope)) access.problem(`unknown permission scope '${scope}'`);
    else if (!(wanted in rank)) access.problem(`permission ${scope}: '${wanted}' must be read, write or none`);
    else if (wanted === 'read' && (writeOnly as readonly string[]).includes(scope)) {
      access.problem(`permission ${scope}: 'read' must be write or none`);
    } else if (wanted === 'write' && (readOnly as readonly string[]).includes(scope)) {
      access.problem(`permission ${scope}: 'write' must be read or none`);
    } else result[scope as Scope] = wanted as Access;
  }
  return result;
}

/** "scope: wanted" for each scope in which `requested` goes beyond `allowed`, with what is allowed. */
export function excess(
  requested: Permissions,
  allowed: Permissions,
): { requested: string; allowed: string } | undefined {
  const over = scopes.filter((scope) => rank[requested[scope] ?? 'none'] > rank[allowed[scope] ?? 'none']);
  if (over.length === 0) return undefined;
  return {
    requested: over.map((scope) => `${scope}: ${requested[scope]}`).join(', '),
    allowed: over.map((scope) => `${scope}: ${allowed[scope] ?? 'none'}`).join(', '),
  };
}

export function intersect(one: Permissions, other: Permissions): Permissions {
  const result: Permissions = {};
  for (const scope of scopes) {
    const [a, b] = [one[scope] ?? 'none', other[scope] ?? 'none'];
    const least = rank[a] < rank[b] ? a : b;
    if (least !== 'none') result[scope] = least;
  }
  return result;
}

export function grants(permissions: Permissions, scope: Scope, access: 'read' | 'write'): boolean {
  return rank[permissions[scope] ?? 'none'] >= rank[access];
}
