import { validationError } from '../errors.ts';

/**
 * Fn::Cidr for IPv4: `count` blocks (1-256) of 32 - `bits` prefix length inside `block`.
 * IPv6 is refused: nothing that the platform deploys uses it.
 */
export function cidrBlocks(block: string, count: number, bits: number): string[] {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(block);
  const prefix = 32 - bits;
  if (match === null || !Number.isInteger(count) || count < 1 || count > 256 || prefix < Number(match[5]) || bits < 0) {
    throw validationError(
      `Template error: every Fn::Cidr object requires an IPv4 block, a count of 1-256 and cidrBits that fit the block; got ${block}, ${count}, ${bits}`,
    );
  }
  const octets = match.slice(1, 5).map(Number);
  const size = 2 ** bits;
  const length = 2 ** (32 - Number(match[5]));
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const start = address - (address % length);
  if (count * size > length) {
    throw validationError(`Template error: Fn::Cidr cannot make ${count} blocks of /${prefix} in ${block}`);
  }
  return Array.from({ length: count }, (_, index) => {
    const base = start + index * size;
    return `${[24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.')}/${prefix}`;
  });
}
