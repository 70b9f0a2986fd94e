import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Why a control request is refused, or undefined. A web page must not reach these routes: neither by a name that
 * resolves to 127.0.0.1 (Host) nor from a browser (Origin); and only who can read the state file knows the token.
 */
export function refusal(request: IncomingMessage, token: string): { status: number; message: string } | undefined {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(host)) {
    return { status: 403, message: `Control routes answer on the loopback address only, not for the host "${host}".` };
  }
  if (request.headers.origin !== undefined) {
    return { status: 403, message: 'Control routes do not answer to web pages (the request has an Origin).' };
  }
  const given = Buffer.from(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
  const wanted = Buffer.from(token);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    return {
      status: 401,
      message: 'Control routes need "Authorization: Bearer TOKEN" with the token of platform.json.',
    };
  }
  return undefined;
}
