import type { CloudWatchLogsClient, InputLogEvent } from '@aws-sdk/client-cloudwatch-logs';
import type { Clock } from '../aws/core/clock.ts';
import type { Logger } from '../aws/core/context.ts';

/** Lines wait this long (real time) so that a talkative job does not make a call per line. */
const flushMilliseconds = 200;
// Limits of PutLogEvents; each event counts 26 bytes more than its text.
const maximumEvents = 10_000;
const maximumBytes = 1_000_000;
const eventOverhead = 26;

export interface LogStream {
  write(line: string): void;
  /** Sends what is left; never rejects. */
  close(): Promise<void>;
}

/**
 * Streams lines to CloudWatch Logs with the job's own rights, as SageMaker does: group and stream are made when the first
 * line comes. A role that may not write logs costs the job its log, not its success; it is told once to the logger.
 */
export function createLogStream(options: {
  /** Asked before each call, because sessions are renewed by the platform's clock. */
  client: () => Promise<CloudWatchLogsClient>;
  group: string;
  stream: string;
  clock: Clock;
  logger: Logger;
  /** True while the platform closes: a lost log is no news then. */
  closing: () => boolean;
}): LogStream {
  const { client, group, stream, clock, logger, closing } = options;
  let pending: InputLogEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> = Promise.resolve();
  let made = false;
  let broken = false;

  const make = async (sdk: typeof import('@aws-sdk/client-cloudwatch-logs')): Promise<void> => {
    for (const command of [
      new sdk.CreateLogGroupCommand({ logGroupName: group }),
      new sdk.CreateLogStreamCommand({ logGroupName: group, logStreamName: stream }),
    ])
      await (await client()).send(command as any).catch((error: Error) => {
        if (error.name !== 'ResourceAlreadyExistsException') throw error;
      });
    made = true;
  };

  const send = async (events: InputLogEvent[]): Promise<void> => {
    if (broken) return;
    try {
      const sdk = await import('@aws-sdk/client-cloudwatch-logs');
      if (!made) await make(sdk);
      for (const batch of batches(events))
        await (await client()).send(
          new sdk.PutLogEventsCommand({ logGroupName: group, logStreamName: stream, logEvents: batch }),
        );
    } catch (error) {
      broken = true;
      if (!closing()) logger.warn(`No log of ${stream} in ${group}: ${(error as Error).message}`);
    }
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const events = pending;
    pending = [];
    if (events.length > 0) sending = sending.then(() => send(events));
  };

  return {
    write(line) {
      // An event without text is refused by the service.
      pending.push({ timestamp: clock.now().getTime(), message: line === '' ? ' ' : line });
      timer ??= setTimeout(flush, flushMilliseconds);
    },
    async close() {
      flush();
      await sending;
    },
  };
}

function* batches(events: readonly InputLogEvent[]): Generator<InputLogEvent[]> {
  let batch: InputLogEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(event.message!) + eventOverhead;
    if (batch.length > 0 && (batch.length === maximumEvents || bytes + size > maximumBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(event);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
