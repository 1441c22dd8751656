import { randomBytes } from 'node:crypto';

/** Roles and databases are global to a cluster, and test files share one. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(4).toString('hex')}`;
}
