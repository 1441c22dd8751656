import { connect, placeOf, type Session, type Target } from '../../postgres/connection/connect.ts';
import { DatabaseError } from '../../postgres/connection/database-error.ts';
import { type Credential, type RotationView, stagedCredential } from '../context/rotation-context.ts';
import { withRoom } from '../context/with-room.ts';
import { passwordRefused } from './password-refused.ts';

/** What is proved other than that the incoming login with its staged password logs in on the primary. */
interface Other {
  readonly credential?: Credential;
  readonly server?: Target;
}

/**
 * A fresh session with a credential, by default the one that this rotation makes current. Throws a DatabaseError: of
 * kind `authentication` when it does not log in, a PasswordRefused where that is the password's fault; `unproven` when
 * the server did not even ask, which would prove nothing (G6).
 */
export async function proveLogin(
  context: RotationView,
  { credential, server = context.connection }: Other = {},
): Promise<Session> {
  const { username: user, password } = credential ?? (await stagedCredential(context));
  const target = { ...server, user, password };
  // A consumer's session keeps the login's own settings, for `verify` to see. The rotator's is keyturn's own.
  const kind = context.policy.type === 'rotator' ? 'rotator' : 'consumer';
  const open = () => connect(target, { kind });
  // A replica has sessions of its own to give.
  const opened = server === context.connection ? withRoom(context, () => context.beside(open)) : open();
  const session = await opened.catch((error: unknown) => {
    throw passwordRefused(error, user);
  });
  if (session.proven) return session;
  await session[Symbol.asyncDispose]();
  throw new DatabaseError(
    'unproven',
    `${placeOf(target)}: the server let the login in without a SCRAM exchange, so its password is not proven; let pg_hba.conf demand scram-sha-256 from this address`,
  );
}
