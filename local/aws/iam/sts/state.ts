import type { Clock } from '../../core/clock.ts';
import type { Session, Sessions } from '../../core/context.ts';
import { NotImplementedError } from '../../core/errors.ts';
import type { IamStore } from '../store.ts';
import type { OidcKeys } from './web-identity.ts';

/** What the operations of STS work on. */
export class StsState {
  readonly store: IamStore;
  readonly sessions: Sessions;
  readonly keys: OidcKeys;
  readonly clock: Clock;

  constructor(store: IamStore, sessions: Sessions, keys: OidcKeys, clock: Clock) {
    this.store = store;
    this.sessions = sessions;
    this.keys = keys;
    this.clock = clock;
  }

  /** The Credentials structure of STS's answers. */
  answer({ credentials }: Session) {
    return {
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      SessionToken: credentials.sessionToken,
      Expiration: credentials.expiration,
    };
  }

  /** Refuses a member that this platform would have to ignore. */
  refuse(operation: string, member: string, value: unknown): void {
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) {
      throw new NotImplementedError(`${member} of sts:${operation}`);
    }
  }
}
