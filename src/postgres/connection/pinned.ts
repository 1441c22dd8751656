import type { PoolConfig } from 'pg';
import type { Database } from '../../config/config.ts';
import { confirmPin } from './confirm-pin.ts';
import { type SessionKind, startupOptions } from './session-pin.ts';

/**
 * What has each session of a pool pinned and confirmed. Open one session with `connect` before: only then is it known
 * whether the server has transaction_timeout.
 */
export function pinned(database: Database, kind: SessionKind): PoolConfig {
  const options = startupOptions(database, kind, { statementTimeout: 0 });
  return {
    ...(options === undefined ? {} : { options }),
    onConnect: async (client) => {
      await confirmPin(client, database, kind);
    },
  };
}
