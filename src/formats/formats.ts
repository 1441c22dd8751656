import { env } from './env.ts';
import type { Format } from './login.ts';
import { pgpass } from './pgpass.ts';
import { service } from './service.ts';
import { url } from './url.ts';
import { userlist } from './userlist.ts';

/** Each of them holds a whole login, in the order in which they are read. */
export const FORMAT_FIELDS = ['url', 'service', 'pgpass', 'env', 'userlist'] as const;
export type FormatField = (typeof FORMAT_FIELDS)[number];

export const FORMATS: Readonly<Record<FormatField, Format>> = { url, service, pgpass, env, userlist };

/** Those from which the password can always be read back. */
export const READABLE_FORMATS = ['url', 'service', 'pgpass', 'env'] as const satisfies readonly FormatField[];
