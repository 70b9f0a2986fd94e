import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/**
 * Finds the line (from 1) of a place in a YAML or JSON text. A list entry is named by its number or by its `Name` or `name`;
 * of a path that is not there, the last part that is counts. undefined when the text cannot be read.
 */
export function lineFinder(text: string): (path: readonly string[]) => number | undefined {
  const counter = new LineCounter();
  let contents: Node | null | undefined;
  return (path) => {
    if (contents === undefined) contents = parseDocument(text, { lineCounter: counter }).contents;
    let node: unknown = contents;
    let offset = contents?.range?.[0];
    for (const part of path) {
      const next = isMap(node) ? inMap(node, part) : isSeq(node) ? inList(node.items, part) : undefined;
      if (next === undefined) break;
      node = next.node;
      offset = next.offset ?? offset;
    }
    return offset === undefined ? undefined : counter.linePos(offset).line;
  };
}

interface Found {
  node: unknown;
  offset: number | undefined;
}

function inMap(map: { items: { key: unknown; value: unknown }[] }, name: string): Found | undefined {
  const pair = map.items.find(({ key }) => isScalar(key) && String(key.value) === name);
  return pair === undefined ? undefined : { node: pair.value, offset: (pair.key as Node).range?.[0] };
}

function inList(items: readonly unknown[], part: string): Found | undefined {
  const node = /^\d+$/.test(part)
    ? items[Number(part)]
    : items.find((item) => isMap(item) && ['Name', 'name'].some((key) => item.get(key) === part));
  return node === undefined ? undefined : { node, offset: (node as Node).range?.[0] };
}

/** The parts of a place as people write it: `Steps[Train].Arguments.Environment`. */
export function pathParts(place: string): string[] {
  return [...place.matchAll(/([^.[\]]+)/g)].map(([part]) => part);
}
