import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './http.ts';
import type { ApiContext } from './router.ts';

export async function handleRest(
  _context: ApiContext,
  _request: IncomingMessage,
  _response: ServerResponse,
  _path: string,
  _query: URLSearchParams,
): Promise<void> {
  throw new HttpError(404, 'Not Found');
}
