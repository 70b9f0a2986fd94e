import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface TreeFile {
  /** Path below the folder, with slashes. */
  name: string;
  path: string;
}

/** Every regular file below a folder, sorted by name; symbolic links are not followed. Empty when there is no folder. */
export async function filesBelow(folder: string): Promise<TreeFile[]> {
  const found: TreeFile[] = [];
  const walk = async (directory: string, prefix: string): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    for (const entry of entries) {
      const name = prefix + entry.name;
      if (entry.isDirectory()) await walk(path.join(directory, entry.name), `${name}/`);
      else if (entry.isFile()) found.push({ name, path: path.join(directory, entry.name) });
    }
  };
  await walk(folder, '');
  return found.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/**
 * The folder's contents as tar.gz, without the folder itself, as SageMaker packs models. Owners and times are left out, so
 * equal files make equal bytes.
 */
export async function packFolder(folder: string): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for (const file of await filesBelow(folder)) {
    const content = await readFile(file.path);
    const executable = ((await stat(file.path)).mode & 0o111) !== 0;
    blocks.push(...entry(file.name, content, executable ? 0o755 : 0o644));
  }
  blocks.push(Buffer.alloc(1024));
  return promisify(gzip)(Buffer.concat(blocks));
}

function entry(name: string, content: Buffer, mode: number): Buffer[] {
  const place = placeName(name);
  const blocks: Buffer[] = [];
  if (place === undefined) {
    // A name that fits in no ustar header goes into a pax record before it.
    blocks.push(...entry('pax-header', paxRecord('path', name), -1));
  }
  blocks.push(
    header(place ?? { prefix: '', name: Buffer.from(name).subarray(0, 100).toString('latin1') }, content.length, mode),
  );
  blocks.push(content, Buffer.alloc((512 - (content.length % 512)) % 512));
  return blocks;
}

function placeName(name: string): { prefix: string; name: string } | undefined {
  if (Buffer.byteLength(name) !== name.length) return undefined;
  if (name.length <= 100) return { prefix: '', name };
  for (let slash = name.indexOf('/'); slash !== -1 && slash <= 155; slash = name.indexOf('/', slash + 1)) {
    if (name.length - slash - 1 <= 100) return { prefix: name.slice(0, slash), name: name.slice(slash + 1) };
  }
  return undefined;
}

/** "LENGTH key=value\n" where LENGTH counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

/** mode -1 marks a pax header. */
function header(place: { prefix: string; name: string }, size: number, mode: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  block.write(place.name, 0, 100, 'latin1');
  block.write(octal(mode === -1 ? 0o644 : mode, 8), 100, 'latin1');
  block.write(octal(0, 8), 108, 'latin1');
  block.write(octal(0, 8), 116, 'latin1');
  block.write(octal(size, 12), 124, 'latin1');
  block.write(octal(0, 12), 136, 'latin1');
  block.write('        ', 148, 'latin1');
  block.write(mode === -1 ? 'x' : '0', 156, 'latin1');
  block.write('ustar\0' + '00', 257, 'latin1');
  block.write(place.prefix, 345, 155, 'latin1');
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
    148,
    'latin1',
  );
  return block;
}
