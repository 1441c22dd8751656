import { factOf, fault } from '../../facts/fault.ts';
import type { Credential } from '../../formats/told-by.ts';
import { connect, type Session, type Target } from '../../postgres/connection/connect.ts';
import { placeOf } from '../../postgres/connection/place-of.ts';
import { refusedAs } from '../../postgres/connection/refused-as.ts';
import type { RotationView } from '../context/rotation-view.ts';
import { stagedCredential } from '../context/staged-credential.ts';
import { type Room, withRoom } from '../context/with-room.ts';

/** With what to log in, and where. */
export interface Proof {
  readonly credential: Credential;
  /** Left out: the primary. */
  readonly server?: Target;
}

/**
 * A fresh session with a credential. Throws what `connect` throws when it does not log in: where
 * that is the password's fault, a fault `password-refused`. Throws `login-not-proven` when the
 * server did not even ask, which would prove nothing (G6).
 */
export async function proveLogin(
  context: Room,
  { credential: { username: user, password }, server = context.connection }: Proof,
): Promise<Session> {
  const target = { ...server, user, password };
  // A consumer's session keeps the login's own settings, so that `verify` sees them.
  const kind = context.policy.type === 'rotator' ? 'rotator' : 'consumer';
  const open = () => connect(target, { kind });
  // Sessions on a replica do not count against the primary's limit.
  const opened = server === context.connection ? withRoom(context, () => context.beside(open)) : open();
  const session = await opened.catch((error: unknown) => {
    throw passwordRefused(error, user);
  });
  if (session.proven) return session;
  await session[Symbol.asyncDispose]();
  throw fault('login-not-proven', { server: placeOf(target), login: user });
}

/** The same with the credential that a rotation makes current. */
export async function proveStaged(
  view: RotationView,
  { server }: Pick<Proof, 'server'> = {},
): Promise<Session> {
  const credential = await stagedCredential(view);
  return proveLogin(view, server ? { credential, server } : { credential });
}

/**
 * What `connect` threw; where PostgreSQL asked for the password of a login of ours and did not take
 * it, a fault `password-refused`. The rotator's own password is refused in another way: nobody
 * else's may be meant here.
 */
function passwordRefused(error: unknown, login: string): unknown {
  if (refusedAs(error) !== 'password') return error;
  return fault('password-refused', { login, cause: factOf(error) }, { cause: error });
}
