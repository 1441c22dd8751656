import type { PreparedInfo, SessionInfo } from '../database/session-info.ts';
import type { SeenClients } from '../rotation/use-facts.ts';

/** About who uses a policy's logins, and who reads them, when a rotation is about to begin. */
export interface CheckUseFacts {
  readonly 'sessions-of-dropped-logins': { readonly count: number };
  readonly 'incoming-has-sessions': { readonly login: string; readonly sessions: readonly SessionInfo[] };
  readonly 'incoming-has-prepared-transactions': {
    readonly login: string;
    readonly transactions: readonly PreparedInfo[];
  };
  readonly 'incoming-has-pooled-clients': SeenClients;
  readonly 'incoming-is-published': { readonly login: string; readonly destination: string };
  readonly 'unpublished-logins-in-use': {
    readonly logins: readonly string[];
    readonly secrets: readonly string[];
    readonly destination: string;
  };
  readonly 'unpublished-login-in-use': {
    readonly login: string;
    /** The login that a rotation by hand would bring in. */
    readonly spare: string | null;
    readonly sessions: readonly SessionInfo[];
    readonly secrets: readonly string[];
    readonly destination: string;
    /** How long a rotation waits for the sessions at most, in seconds; null: until they end. */
    readonly timeoutSeconds: number | null;
  };
}
