/** One part of a path: a member (`.key`, `['name']`) or a place in a list (`[0]`). */
export type PathPart = { kind: 'member'; name: string } | { kind: 'index'; index: number };

const part = /^(?:\.?([A-Za-z0-9_\-$]+)|\[(\d+)\]|\[(['"])(.*?)\3\])/;

/**
 * Parses the paths of property references and of Std:JsonGet: `.key`, `['name']`, `[n]`, without a leading `$.`.
 * Returns undefined when the text is no such path.
 */
export function parsePath(text: string): PathPart[] | undefined {
  const parts: PathPart[] = [];
  let rest = text;
  if (rest === '') return undefined;
  while (rest !== '') {
    const match = part.exec(rest);
    if (match === null) return undefined;
    const [whole, member, index, , quoted] = match;
    // After the first part a plain member needs its dot: "ab" is one name, never two.
    if (member !== undefined && parts.length > 0 && !rest.startsWith('.')) return undefined;
    if (member !== undefined && parts.length === 0 && rest.startsWith('.')) return undefined;
    if (index !== undefined) parts.push({ kind: 'index', index: Number(index) });
    else parts.push({ kind: 'member', name: (member ?? quoted) as string });
    rest = rest.slice(whole.length);
  }
  return parts;
}

export function formatPath(parts: readonly PathPart[]): string {
  return parts
    .map((each, position) => {
      if (each.kind === 'index') return `[${each.index}]`;
      if (!/^[A-Za-z0-9_\-$]+$/.test(each.name)) return `['${each.name}']`;
      return position === 0 ? each.name : `.${each.name}`;
    })
    .join('');
}

/** The members that name an element in the lists of Describe answers. */
const naming = [
  'OutputName',
  'InputName',
  'ChannelName',
  'MetricName',
  'Name',
  'VariantName',
  'ContainerHostname',
  'Key',
];

/**
 * Walks a path through a value. `['name']` on a list selects the element that bears the name, as property references do.
 * Returns undefined when nothing is there.
 */
export function select(value: unknown, parts: readonly PathPart[]): unknown {
  let current = value;
  for (const each of parts) {
    if (current === null || typeof current !== 'object') return undefined;
    if (Array.isArray(current)) {
      current =
        each.kind === 'index'
          ? current[each.index]
          : current.find((item) => naming.some((member) => item?.[member] === each.name));
    } else {
      if (each.kind === 'index') return undefined;
      const object = current as Record<string, unknown>;
      current = Object.hasOwn(object, each.name) ? object[each.name] : undefined;
    }
  }
  return current;
}
