import type { PoolConfig } from 'pg';
import type { Database } from '../../config/config.ts';
import { confirmPin } from './confirm-pin.ts';
import { type Remembered, type SessionKind, startupOptions } from './session-pin.ts';

/**
 * Options with which each session of a pool is pinned and confirmed. First open a session with
 * `connect`, with the same memory: it finds out whether the server has transaction_timeout.
 */
export function pinned(database: Database & Remembered, kind: SessionKind): PoolConfig {
  const options = startupOptions(database, kind, { statementTimeout: 0 });
  return {
    ...(options === undefined ? {} : { options }),
    onConnect: async (client) => {
      await confirmPin(client, database, kind);
    },
  };
}
