import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitHubOptions } from '../types.ts';

/**
 * A folder of programs that a runner image would have, first on every job's PATH. Scripts rather than links, because a
 * linked Python loses its virtual environment. Made once; concurrent jobs wait for the same promise.
 */
export function createPrograms(tools: GitHubOptions['tools']): (folder: string) => Promise<void> {
  let made: Promise<void> | undefined;
  return (folder) => {
    made ??= make(folder, tools);
    return made;
  };
}

async function make(folder: string, tools: GitHubOptions['tools']): Promise<void> {
  await mkdir(folder, { recursive: true });
  const wanted: Record<string, string> = { node: tools.node };
  if (tools.python) Object.assign(wanted, { python: tools.python, python3: tools.python });
  for (const [name, target] of Object.entries(wanted)) {
    const file = join(folder, name);
    // Renamed into place: a process of an earlier start may still be reading the old one.
    await writeFile(`${file}.new`, `#!/bin/sh\nexec '${target.replaceAll("'", `'\\''`)}' "$@"\n`);
    await chmod(`${file}.new`, 0o755);
    await rename(`${file}.new`, file);
  }
  await rm(join(folder, 'git'), { force: true });
  await symlink(tools.git, join(folder, 'git'));
}
