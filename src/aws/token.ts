import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** Canonical JSON (RFC 8785): equal values give equal text, members that are undefined do not count. */
export function canonicalJson(value: unknown): string {
  return canonicalize(value) ?? 'null';
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * Idempotency token: 64 hex characters of run, action, intent and generation. The run's attempt is not part of it, so a re-run finds what
 * the first attempt started; the generation moves on when that one ended badly.
 */
export function requestToken(parts: {
  runId: string;
  action: string;
  intent: string;
  generation: number | string;
}): string {
  return sha256(canonicalJson(parts));
}
