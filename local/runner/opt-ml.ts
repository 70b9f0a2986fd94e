import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startProbe } from './probe.ts';

/** How a job's folder is /opt/ml: shown there by a mount namespace, or by rewriting that path where it is written. */
export type OptMl = 'namespace' | 'rewrite';

const supervisor = fileURLToPath(new URL('./python/supervise.py', import.meta.url));
const rewriter = fileURLToPath(new URL('./python/rewrite.py', import.meta.url));

/** Tries once whether this machine and user can have a mount namespace. */
export async function detectOptMl(python: string): Promise<OptMl> {
  if (process.platform !== 'linux') return 'rewrite';
  const scratch = await mkdtemp(path.join(tmpdir(), 'opt-ml-'));
  try {
    return (await startProbe(python, ['-I', '-S', supervisor, '--probe', scratch])) ? 'namespace' : 'rewrite';
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Replaces /opt/ml in a text by the folder that stands for it, but not /opt/mlflow or /data/opt/ml. */
export function rewriteText(text: string, folder: string): string {
  return text.replaceAll(/(?<![\w/.-])\/opt\/ml(?![\w-])/g, () => folder);
}

/** Rewrites /opt/ml in the scripts below the job's folder, which are downloaded copies (see python/rewrite.py). */
export async function rewriteScripts(python: string, folder: string): Promise<void> {
  await promisify(execFile)(python, ['-I', rewriter, folder, folder]);
}

/** The folders of one job or model server. */
export interface Place {
  /** Everything of the job; removed when it has ended. */
  root: string;
  /** What the program sees as /opt/ml. */
  ml: string;
  /** Working directory of programs that don't get one below /opt/ml. */
  work: string;
  home: string;
  temporary: string;
  packages: string;
  scratch: string;
}

/** Makes the folders anew; two jobs never share one. The name tells the process that owns them (see removeAbandoned). */
export async function makePlace(parent: string, name: string): Promise<Place> {
  await mkdir(parent, { recursive: true });
  const root = await mkdtemp(path.join(parent, `${name.slice(0, 40)}-${process.pid}-`));
  const place: Place = {
    root,
    ml: path.join(root, 'ml'),
    work: path.join(root, 'work'),
    home: path.join(root, 'home'),
    temporary: path.join(root, 'tmp'),
    packages: path.join(root, 'packages'),
    scratch: path.join(root, 'scratch'),
  };
  for (const folder of [place.ml, place.work, place.home, place.temporary, place.packages, place.scratch])
    await mkdir(folder);
  return place;
}

/** Removes what jobs of a platform that was killed have left behind; those of a running one stay. */
export async function removeAbandoned(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [] as string[]);
  for (const name of names) {
    const owner = /-(\d+)-[^-]+$/.exec(name)?.[1];
    if (owner !== undefined && !isRunning(Number(owner)))
      await rm(path.join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
