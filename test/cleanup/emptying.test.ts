/** Emptying a bucket against a made-up S3 that keeps S3's own limits. */
import { describe, expect, test } from '@jest/globals';
import type { Service } from '../../src/aws/session.ts';
import { emptyBucket } from '../../src/cleanup/emptying.ts';

interface Stored {
  Key: string;
  VersionId: string;
  marker: boolean;
}

interface Options {
  denied?: (key: string) => boolean;
  /** Called before every listing, e.g. to write meanwhile. */
  beforeList?: (store: Map<string, Stored>, lists: number) => void;
  /** The n-th deletion breaks. */
  breakAt?: number;
}

function fakeS3(versions: number, { denied = () => false, beforeList, breakAt }: Options = {}) {
  const store = new Map<string, Stored>();
  const add = (index: number) => {
    const one = {
      Key: `k/${String(index >> 1).padStart(8, '0')}`,
      VersionId: `v${index % 2}`,
      marker: index % 2 === 1,
    };
    store.set(`${one.Key}\n${one.VersionId}`, one);
  };
  for (let index = 0; index < versions; index += 1) add(index);
  const calls = { lists: 0, deletes: 0, largest: 0, atOnce: 0, most: 0 };
  const service: Service = {
    async send(command: any): Promise<any> {
      await new Promise((resolve) => setImmediate(resolve));
      const { input } = command;
      if (input.Delete === undefined) {
        calls.lists += 1;
        beforeList?.(store, calls.lists);
        const after = input.KeyMarker === undefined ? '' : `${input.KeyMarker}\n${input.VersionIdMarker}`;
        const rest = [...store.entries()].filter(([id]) => id > after).sort(([a], [b]) => (a < b ? -1 : 1));
        const page = rest.slice(0, input.MaxKeys).map(([, one]) => one);
        const last = page.at(-1);
        return {
          Versions: page.filter(({ marker }) => !marker).map((one) => ({ ...one, Size: 1 })),
          DeleteMarkers: page.filter(({ marker }) => marker),
          IsTruncated: rest.length > page.length,
          ...(rest.length > page.length ? { NextKeyMarker: last?.Key, NextVersionIdMarker: last?.VersionId } : {}),
        };
      }
      const { Objects } = input.Delete;
      calls.deletes += 1;
      const nth = calls.deletes;
      calls.atOnce += 1;
      calls.most = Math.max(calls.most, calls.atOnce);
      calls.largest = Math.max(calls.largest, Objects.length);
      if (Objects.length === 0 || Objects.length > 1_000) throw new Error('MalformedXML');
      // A deletion takes longer than a listing.
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      calls.atOnce -= 1;
      if (nth === breakAt) throw new Error('the connection broke');
      const Errors: unknown[] = [];
      for (const { Key, VersionId } of Objects) {
        if (denied(Key)) Errors.push({ Key, VersionId, Code: 'AccessDenied', Message: 'Access Denied' });
        else store.delete(`${Key}\n${VersionId}`);
      }
      return { Errors };
    },
  };
  return { service, store, calls };
}

describe('emptying', () => {
  test.each([0, 1, 999, 1_000, 1_001, 4_321])('%i versions and markers, a thousand a call', async (versions) => {
    const { service, store, calls } = fakeS3(versions);
    expect(await emptyBucket(service, 'b')).toEqual({ removed: versions, failed: 0, examples: [] });
    expect(store.size).toBe(0);
    expect(calls.deletes).toBe(Math.ceil(versions / 1_000));
    // Each page once, and a last look that finds nothing.
    expect(calls.lists).toBe(Math.max(1, Math.ceil(versions / 1_000)) + (versions > 0 ? 1 : 0));
  });

  test('holds a few pages at most, whatever the number', async () => {
    const { service, calls } = fakeS3(20_000);
    await emptyBucket(service, 'b');
    expect(calls.most).toBeLessThanOrEqual(4);
    expect(calls.most).toBeGreaterThan(1);
  });

  test('keeps what is to be kept, and never sends an empty list for a page of it', async () => {
    const { service, store, calls } = fakeS3(3_000);
    const keep = (key: string) => key < 'k/00000600';
    expect(await emptyBucket(service, 'b', { keep })).toEqual({ removed: 1_800, failed: 0, examples: [] });
    expect(store.size).toBe(1_200);
    expect(calls.deletes).toBe(2);
  });

  test('what S3 refuses is counted and shown, the rest goes, and there is an end', async () => {
    const { service, store } = fakeS3(2_500, { denied: (key) => key < 'k/00000004' });
    const emptied = await emptyBucket(service, 'b');
    expect(emptied).toMatchObject({ removed: 2_492, failed: 8 });
    expect(emptied.examples).toHaveLength(5);
    expect(emptied.examples[0]).toEqual({
      key: 'k/00000000',
      versionId: 'v0',
      code: 'AccessDenied',
      message: 'Access Denied',
    });
    expect(store.size).toBe(8);
  });

  test('what is written meanwhile goes as well', async () => {
    const { service, store } = fakeS3(10, {
      beforeList(all, lists) {
        if (lists === 2) all.set('late\nv0', { Key: 'late', VersionId: 'v0', marker: false });
      },
    });
    expect((await emptyBucket(service, 'b')).removed).toBe(11);
    expect(store.size).toBe(0);
  });

  test('a call that breaks is told after those in flight have ended', async () => {
    const { service, calls } = fakeS3(5_000, { breakAt: 2 });
    await expect(emptyBucket(service, 'b')).rejects.toThrow('the connection broke');
    expect(calls.atOnce).toBe(0);
  });
});
