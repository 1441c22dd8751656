import { counted } from '../../counted.ts';
import type { GrantTarget } from '../../facts/roles/role-change-facts.ts';

/** `schema public`, `table public.orders, public.items`, `5 tables of app in schema public`. */
export function grantTargetText({ kind, schema, owner, count, names }: GrantTarget): string {
  if (kind === 'schema') return `schema ${schema}`;
  if (names.length === 0) return `${kind} of ${owner} in schema ${schema}`;
  if (count > names.length) return `${counted(count, kind)} of ${owner} in schema ${schema}`;
  return `${kind} ${names.map((name) => `${schema}.${name}`).join(', ')}`;
}
