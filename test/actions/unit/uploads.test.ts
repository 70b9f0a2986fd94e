import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Service } from '../../../src/aws/session.ts';
import { missingFiles, uploadFiles } from '../../../src/pipelines/transfer.ts';
import { planUpload } from '../../../src/pipelines/uploads.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uploads-'));
  mkdirSync(join(folder, 'scripts/nested'), { recursive: true });
  writeFileSync(join(folder, 'scripts/a.py'), 'a');
  writeFileSync(join(folder, 'scripts/nested/b.py'), 'b');
  writeFileSync(join(folder, 'data.csv'), '1,2\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A bucket that answers in pages of one. */
function fakeBucket(): { service: Service; objects: Map<string, Uint8Array>; sent: any[] } {
  const objects = new Map<string, Uint8Array>();
  const sent: any[] = [];
  const service: Service = {
    async send(command) {
      const input = command.input as any;
      sent.push(input);
      if (command instanceof ListObjectsV2Command) {
        const keys = [...objects.keys()].filter((key) => key.startsWith(input.Prefix)).sort();
        const at = Number(input.ContinuationToken ?? '0');
        const key = keys[at];
        return {
          Contents: key === undefined ? [] : [{ Key: key, Size: objects.get(key)!.length }],
          IsTruncated: at + 1 < keys.length,
          NextContinuationToken: String(at + 1),
        } as any;
      }
      if (command instanceof PutObjectCommand) {
        objects.set(input.Key, input.Body);
        return {} as any;
      }
      throw new Error('unexpected');
    },
  };
  return { service, objects, sent };
}

describe('addresses', () => {
  test('follow from the contents alone', async () => {
    const plan = await planUpload('CodeUri', join(folder, 'scripts'), 'bucket');
    expect(plan.uri).toMatch(/^s3:\/\/bucket\/code\/[0-9a-f]{64}\/scripts$/);
    expect(plan.files.map(({ key }) => key.replace(plan.prefix, ''))).toEqual(['a.py', 'nested/b.py']);
    mkdirSync(join(folder, 'scripts/__pycache__'));
    writeFileSync(join(folder, 'scripts/__pycache__/a.pyc'), 'x');
    writeFileSync(join(folder, 'scripts/old.pyc'), 'x');
    expect((await planUpload('CodeUri', join(folder, 'scripts'), 'bucket')).uri).toBe(plan.uri);
    writeFileSync(join(folder, 'scripts/nested/b.py'), 'B');
    expect((await planUpload('CodeUri', join(folder, 'scripts'), 'bucket')).uri).not.toBe(plan.uri);
  });

  test('data lies apart from code', async () => {
    expect((await planUpload('InputDataUrl', join(folder, 'data.csv'), 'b')).uri).toMatch(
      /^s3:\/\/b\/data\/[0-9a-f]{64}\/data\.csv$/,
    );
    expect((await planUpload('MetadataCode', join(folder, 'data.csv'), 'b')).prefix).toMatch(/^code\//);
  });

  test('a link and an empty folder are refused by name', async () => {
    symlinkSync('/etc/passwd', join(folder, 'scripts/link'));
    await expect(planUpload('CodeUri', join(folder, 'scripts'), 'b')).rejects.toThrow(/link is a symbolic link/);
    mkdirSync(join(folder, 'empty'));
    await expect(planUpload('CodeUri', join(folder, 'empty'), 'b')).rejects.toThrow(/empty/);
  });
});

test('only what the bucket lacks is put, with the key and its SHA-256; all pages are read', async () => {
  const { service, objects, sent } = fakeBucket();
  const plan = await planUpload('CodeUri', join(folder, 'scripts'), 'bucket');
  expect(await missingFiles(service, plan)).toHaveLength(2);
  await uploadFiles(service, 'bucket', plan.files.slice(0, 1), 'arn:key');
  expect(sent.at(-1)).toMatchObject({
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: 'arn:key',
    ChecksumSHA256: 'ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=',
  });
  expect((await missingFiles(service, plan)).map(({ key }) => key)).toEqual([plan.files[1]!.key]);
  await uploadFiles(service, 'bucket', plan.files.slice(1), 'arn:key');
  expect(await missingFiles(service, plan)).toEqual([]);
  // Cut off half-way by somebody else: another length counts as missing.
  objects.set(plan.files[0]!.key, Buffer.from('longer'));
  expect(await missingFiles(service, plan)).toHaveLength(1);
});
