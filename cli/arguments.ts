import { UserError } from './errors.ts';

/** Stable, so that bookmarks and exported variables survive a restart. */
const defaultPort = 4577;

export function parsePort(value: unknown): number {
  if (value === undefined) return defaultPort;
  const port = Number(value);
  if (!/^\d+$/.test(String(value)) || port > 65_535) {
    throw new UserError(`--port is "${value}", but a port is a number from 0 to 65535 (0 takes a free one).`, 2);
  }
  return port;
}
