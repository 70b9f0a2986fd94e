import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { Service } from '../aws/session.ts';
import type { Clock } from '../clock.ts';
import { type Comparison, compare, type HeldOut, parseNumbers } from './rows.ts';

export { SageMakerRuntimeClient };

export interface Answers {
  comparison: Comparison | undefined;
  /** First characters of an answer that is no list of as many numbers as rows. */
  unexpected: string | undefined;
  /** Milliseconds of single-row requests, as this runner sees them. */
  latencies: readonly number[];
}

/** The service takes 6 MB in one request. */
const bodyLimit = 5_000_000;
const timed = 5;

async function ask(runtime: Service, endpoint: string, body: string, signal: AbortSignal): Promise<string> {
  const answer = await runtime.send(
    new InvokeEndpointCommand({
      EndpointName: endpoint,
      ContentType: 'text/csv',
      Accept: 'text/csv',
      Body: Buffer.from(body),
    }),
    { resource: endpoint, signal },
  );
  return Buffer.from(answer.Body ?? []).toString('utf8');
}

function batches(rows: readonly string[]): string[][] {
  const result: string[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    if (size + row.length + 1 > bodyLimit) {
      result.push([]);
      size = 0;
    }
    result.at(-1)?.push(row);
    size += row.length + 1;
  }
  return result;
}

/** Asks the endpoint for all rows, compares with the evaluation's predictions, then times a few rows one by one. */
export async function askEndpoint(
  runtime: Service,
  endpoint: string,
  heldOut: HeldOut,
  clock: Clock,
  signal: AbortSignal,
): Promise<Answers> {
  const answers: number[] = [];
  for (const batch of batches(heldOut.rows)) {
    const text = await ask(runtime, endpoint, batch.join('\n'), signal);
    const numbers = parseNumbers(text);
    if (numbers === undefined || numbers.length !== batch.length)
      return { comparison: undefined, unexpected: text.slice(0, 200), latencies: [] };
    answers.push(...numbers);
  }
  const latencies: number[] = [];
  for (const row of heldOut.rows.slice(0, timed)) {
    const start = clock.now();
    await ask(runtime, endpoint, row, signal);
    latencies.push(clock.now() - start);
  }
  return { comparison: compare(answers, heldOut.predictions), unexpected: undefined, latencies };
}
