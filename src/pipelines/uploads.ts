import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { canonicalJson, sha256 } from '../aws/token.ts';
import { type Failure, FailureError } from '../failure.ts';

/** What editors and interpreters leave behind; it is no part of the code. */
const ignored = /^(__pycache__|\.ipynb_checkpoints|\.git|\.DS_Store|.*\.pyc)$/;
/** PutObject takes at most 5 GiB in one request. */
const largest = 5 * 1024 ** 3;

export interface UploadFile {
  path: string;
  key: string;
  size: number;
  sha256: string;
}

export interface Upload {
  parameter: string;
  /** What the parameter becomes: the object, or the prefix of a folder. */
  uri: string;
  bucket: string;
  /** Key, or prefix with a slash at its end. */
  prefix: string;
  files: UploadFile[];
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function tree(
  path: string,
  relative: string,
): Promise<{ path: string; relative: string; size: number; sha256: string }[]> {
  const stat = await lstat(path);
  if (stat.isSymbolicLink()) {
    throw new FailureError({
      code: 'InvalidConfiguration',
      resource: path,
      cause: `${path} is a symbolic link, which is not uploaded`,
      hint: 'Put the file itself there',
    });
  }
  if (stat.isFile()) return [{ path, relative, size: stat.size, sha256: await hashFile(path) }];
  const entries = (await readdir(path)).filter((entry) => !ignored.test(entry)).sort();
  const lists = [];
  for (const entry of entries)
    lists.push(await tree(join(path, entry), relative === '' ? entry : `${relative}/${entry}`));
  return lists.flat();
}

/** Where an upload goes: what a parameter calls data lies under data/, everything else is code. */
function areaOf(parameter: string): 'code' | 'data' {
  return /Data|^data/.test(parameter) ? 'data' : 'code';
}

/** Hashes a file or folder; equal contents give equal keys, whoever uploads them and when. */
export async function planUpload(parameter: string, path: string, bucket: string): Promise<Upload> {
  const area = areaOf(parameter);
  const name = basename(path);
  const isFolder = (await lstat(path)).isDirectory();
  const files = await tree(path, '');
  if (files.length === 0) {
    throw new FailureError({
      code: 'InvalidConfiguration',
      resource: path,
      cause: `The folder ${path} (upload ${parameter}) is empty`,
    });
  }
  const tooLarge = files.find(({ size }) => size > largest);
  if (tooLarge !== undefined) {
    throw new FailureError({
      code: 'InvalidConfiguration',
      resource: tooLarge.path,
      cause: `${tooLarge.path} is larger than 5 GiB`,
      hint: 'Put it into the bucket by other means and give its S3 URI as a parameter',
    });
  }
  const [only] = files;
  if (!isFolder && only !== undefined) {
    const key = `${area}/${only.sha256}/${name}`;
    return { parameter, uri: `s3://${bucket}/${key}`, bucket, prefix: key, files: [{ ...only, key }] };
  }
  const digest = sha256(canonicalJson(files.map(({ relative, sha256: hash }) => [relative, hash])));
  const prefix = `${area}/${digest}/${name}/`;
  return {
    parameter,
    uri: `s3://${bucket}/${prefix.slice(0, -1)}`,
    bucket,
    prefix,
    files: files.map(({ path: file, relative, size, sha256: hash }) => ({
      path: file,
      size,
      sha256: hash,
      key: prefix + relative,
    })),
  };
}

/** The problem of an upload whose path is not there. */
export function missingPath(file: string, parameter: string, path: string): Failure {
  return {
    code: 'InvalidConfiguration',
    resource: file,
    logicalId: parameter,
    cause: `Upload ${parameter}: ${path} does not exist`,
    hint: 'Paths are relative to the build file; is the repository checked out?',
  };
}
