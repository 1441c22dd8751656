import type { Connection } from '../../config/config.ts';
import { fact } from '../../facts/fact.ts';
import { Fault, isFault } from '../../facts/fault.ts';
import { connect, type Session } from './connect.ts';

/**
 * Opens a session as the user of a connection, the rotator. Where PostgreSQL refuses that user, the
 * fault names the connection: at first, nobody has made the rotator yet.
 */
export async function connectRotator(connection: Connection): Promise<Session> {
  try {
    return await connect(connection);
  } catch (error) {
    if (!isFault(error, 'login-refused') || error.fact.params.because === 'entry') throw error;
    const rotator = { user: connection.user, connection: connection.name };
    throw new Fault(fact('login-refused', { ...error.fact.params, rotator }), { cause: error });
  }
}
