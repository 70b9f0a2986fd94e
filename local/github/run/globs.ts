import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';

/**
 * Globs of hashFiles and of artifact paths: `*`, `?`, `[...]` within a name, `**` across folders, `!` takes files back,
 * a folder means everything in it, `#` starts a comment.
 */
function globToRegExp(pattern: string): RegExp {
  let source = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    if (pattern.startsWith('**', index) && (index === 0 || pattern[index - 1] === '/')) {
      const last = index + 2 >= pattern.length;
      source += last ? '.*' : '(?:[^/]+/)*';
      index += last ? 1 : 2;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[' && pattern.indexOf(']', index + 1) > 0) {
      const end = pattern.indexOf(']', index + 1);
      source += `[${pattern.slice(index + 1, end).replace(/^!/, '^')}]`;
      index = end;
    } else source += character.replace(/[.+^${}()|[\]\\/]/g, '\\$&');
  }
  return new RegExp(`^${source}(?:/.*)?$`);
}

function walk(directory: string): string[] {
  const result: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) result.push(...walk(path));
    else if (entry.isFile()) result.push(path);
  }
  return result;
}

/** The folder that a pattern starts from: everything before its first wildcard. */
function base(pattern: string): string {
  const parts = pattern.split('/');
  const wild = parts.findIndex((part) => /[*?[]/.test(part));
  return wild < 0 ? pattern : parts.slice(0, wild).join('/') || '/';
}

/** Absolute paths of the files, in order, without doubles. Relative patterns start at `directory`. */
export function findFiles(patterns: readonly string[], directory: string): string[] {
  const found = new Set<string>();
  for (const raw of patterns.flatMap((pattern) => pattern.split(/\r?\n/))) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const negative = line.startsWith('!');
    const text = negative ? line.slice(1).trim() : line;
    const absolute = (isAbsolute(text) ? text : resolve(directory, '.', text)).split(sep).join('/');
    const expression = globToRegExp(absolute);
    if (negative) {
      for (const path of found) if (expression.test(path)) found.delete(path);
      continue;
    }
    let candidates: string[];
    try {
      candidates = walk(base(absolute));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTDIR') candidates = [absolute];
      else if (code === 'ENOENT') continue;
      else throw error;
    }
    for (const path of candidates) if (expression.test(path)) found.add(path);
  }
  return [...found];
}

/** hashFiles: SHA-256 over the SHA-256 of each file of the workspace; empty when nothing matches. */
export function hashFiles(patterns: readonly string[], workspace: string): string {
  const option = patterns.find((pattern) => pattern.startsWith('--'));
  if (option) throw new Error(`hashFiles('${option}') is not supported locally`);
  const hash = createHash('sha256');
  const files = findFiles(patterns, workspace).filter((path) => !relative(workspace, path).startsWith('..'));
  for (const path of files) hash.update(createHash('sha256').update(readFileSync(path)).digest());
  return files.length > 0 ? hash.digest('hex') : '';
}

/** The deepest folder that holds all search paths: the root of an artifact, as upload-artifact chooses it. */
export function leastCommonAncestor(patterns: readonly string[], directory: string, files: readonly string[]): string {
  const lines = patterns.flatMap((pattern) => pattern.split(/\r?\n/)).map((line) => line.trim());
  const positive = lines.filter((line) => line !== '' && !line.startsWith('!') && !line.startsWith('#'));
  const bases = positive.map((line) => base(resolve(directory, line)));
  if (bases.length === 1 && files.length === 1 && files[0] === bases[0]) return join(files[0]!, '..');
  const split = bases.map((path) => path.split('/'));
  const first = split[0] ?? [''];
  let length = 0;
  while (length < first.length && split.every((parts) => parts[length] === first[length])) length++;
  const common = first.slice(0, length).join('/') || '/';
  return files.includes(common) ? join(common, '..') : common;
}
