import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Session, Sessions } from '../core/context.ts';
import type { Principal } from '../core/service.ts';
import { randomCharacters } from './store.ts';

/** Forgotten this long after their end; until then a late caller hears ExpiredToken. */
const memory = 7 * 24 * 3600 * 1000;
const pruneAbove = 10_000;

/**
 * Sessions of temporary credentials, by key id. Key ids have AWS's length (20) and start with ASIALOCAL, so that the
 * product can tell them from real ones.
 */
export function createSessions(clock: Clock): Sessions {
  const sessions = new Map<string, Session>();

  const prune = () => {
    const before = clock.now().getTime() - memory;
    for (const [id, { credentials }] of sessions) if (credentials.expiration.getTime() < before) sessions.delete(id);
  };

  return {
    issue(principal: Principal, lifetimeSeconds: number): Session {
      if (sessions.size >= pruneAbove) prune();
      const issuedAt = clock.now();
      const session: Session = {
        principal: { issuedAt, ...principal },
        credentials: {
          accessKeyId: `ASIALOCAL${randomCharacters(11)}`,
          secretAccessKey: randomBytes(30).toString('base64'),
          sessionToken: `local//${randomBytes(180).toString('base64')}`,
          // STS answers whole seconds.
          expiration: new Date((Math.floor(issuedAt.getTime() / 1000) + lifetimeSeconds) * 1000),
        },
      };
      sessions.set(session.credentials.accessKeyId, session);
      return session;
    },
    find: (accessKeyId) => sessions.get(accessKeyId),
    expire(roleArn) {
      for (const { credentials, principal } of sessions.values()) {
        if (principal.roleArn === roleArn && credentials.expiration > clock.now()) credentials.expiration = clock.now();
      }
    },
  };
}
