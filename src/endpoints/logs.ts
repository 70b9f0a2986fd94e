import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { Aws } from '../aws/session.ts';

/** Last lines of an endpoint's log, oldest first; empty when there are none or they may not be read (an explanation never fails). */
export async function logTail(target: Aws, endpoint: string, signal: AbortSignal): Promise<string[]> {
  const group = `/aws/sagemaker/Endpoints/${endpoint}`;
  try {
    const { events } = await target
      .service(CloudWatchLogsClient)
      .send(new FilterLogEventsCommand({ logGroupName: group, limit: 1_000 }), { resource: group, signal });
    return (events ?? []).slice(-20).map(({ message }) => (message ?? '').trimEnd());
  } catch {
    return [];
  }
}
