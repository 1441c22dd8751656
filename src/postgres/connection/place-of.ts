import type { Database } from '../../config/config.ts';

/** How messages name a server and who logs in there: `orders_api_a@db.internal:5432/orders`. */
export function placeOf({
  user,
  host,
  port,
  database,
}: Pick<Database, 'user' | 'host' | 'port' | 'database'>): string {
  return `${user}@${host}:${port}/${database}`;
}
