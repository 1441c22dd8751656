import type { PostgresConnectionOptions } from 'bullmq';
import type { Database } from '../config/config.ts';
import { clientOptions } from '../postgres/connection/client-options.ts';
import { pinned } from '../postgres/connection/pinned.ts';

/** The state database as BullMQ wants it: options for pg, whose own types know more than BullMQ's. */
export function bullConnection(
  database: Database,
  pool: { readonly max: number; readonly application_name: string },
): PostgresConnectionOptions {
  return { ...clientOptions(database), ...pinned(database, 'queue'), ...pool } as PostgresConnectionOptions;
}
