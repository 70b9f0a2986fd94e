import type { Readable } from 'node:stream';

/** Longer lines are cut into several events: CloudWatch Logs takes at most 256 KiB for one (1 MiB since 2025). */
const longestLine = 256 * 1024 - 26;

/** Calls `take` for every line of a stream, without its line break; the last one also when it has none. */
export function eachLine(stream: Readable, take: (line: string) => void): void {
  let pending = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (pending + chunk).split('\n');
    pending = lines.pop()!;
    for (const line of lines) take(line.endsWith('\r') ? line.slice(0, -1) : line);
    while (pending.length > longestLine) {
      take(pending.slice(0, longestLine));
      pending = pending.slice(longestLine);
    }
  });
  stream.on('end', () => {
    if (pending !== '') take(pending);
    pending = '';
  });
}
