/** The checksums that S3 clients send, computed while a body passes. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export interface RunningChecksum {
  update(chunk: Uint8Array): void;
  /** Base64, as the headers carry it. */
  digest(): string;
}

const algorithms: Record<string, () => RunningChecksum> = {
  'x-amz-checksum-crc32': () => {
    let value = 0;
    return {
      update: (chunk) => {
        value = crc32(chunk, value);
      },
      digest: () => bigEndian(value),
    };
  },
  'x-amz-checksum-crc32c': () => reflectedCrc32(0x82f63b78),
  'x-amz-checksum-crc64nvme': () => crc64nvme(),
  'x-amz-checksum-sha1': () => hash('sha1'),
  'x-amz-checksum-sha256': () => hash('sha256'),
  'content-md5': () => hash('md5'),
};

/** Header names (lower case) that carry a checksum this module knows. */
export const checksumHeaders: readonly string[] = Object.keys(algorithms);

export function checksum(header: string): RunningChecksum {
  return algorithms[header]!();
}

function hash(algorithm: string): RunningChecksum {
  const running = createHash(algorithm);
  return { update: (chunk) => running.update(chunk), digest: () => running.digest('base64') };
}

function bigEndian(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}

function reflectedCrc32(polynomial: number): RunningChecksum {
  const table = new Uint32Array(256);
  for (let index = 0; index < 256; index++) {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    table[index] = value;
  }
  let crc = 0xffffffff;
  return {
    update(chunk) {
      for (const byte of chunk) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
    },
    digest: () => bigEndian(crc ^ 0xffffffff),
  };
}

/** CRC-64/NVME, reflected polynomial 0x9a6c9329ac4bc9b5, in two halves because bit operations end at 32. */
function crc64nvme(): RunningChecksum {
  const high = new Uint32Array(256);
  const low = new Uint32Array(256);
  for (let index = 0; index < 256; index++) {
    let top = 0;
    let bottom = index;
    for (let bit = 0; bit < 8; bit++) {
      const carry = bottom & 1;
      bottom = (bottom >>> 1) | ((top & 1) << 31);
      top >>>= 1;
      if (carry) {
        top ^= 0x9a6c9329;
        bottom ^= 0xac4bc9b5;
      }
    }
    high[index] = top >>> 0;
    low[index] = bottom >>> 0;
  }
  let top = 0xffffffff;
  let bottom = 0xffffffff;
  return {
    update(chunk) {
      for (const byte of chunk) {
        const index = (bottom ^ byte) & 0xff;
        bottom = (((bottom >>> 8) | ((top & 0xff) << 24)) ^ low[index]!) >>> 0;
        top = ((top >>> 8) ^ high[index]!) >>> 0;
      }
    },
    digest() {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE((top ^ 0xffffffff) >>> 0, 0);
      bytes.writeUInt32BE((bottom ^ 0xffffffff) >>> 0, 4);
      return bytes.toString('base64');
    },
  };
}
