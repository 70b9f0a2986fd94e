import type { Status } from '../../src/failure.ts';
import type { Host } from '../../src/github/host.ts';
import { openAws } from '../../src/github/session.ts';
import type { Inputs, Output } from './interface.generated.ts';

export async function run(inputs: Inputs, host: Host<Output>): Promise<Status> {
  const aws = openAws('x', inputs, host);
  await aws.identity();
  return '';
}
