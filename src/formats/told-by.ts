import { FORMAT_FIELDS, FORMATS, type FormatField } from './formats.ts';
import type { Login, Told } from './login.ts';

/** What is published of a login, by field. */
export type Published = Readonly<Partial<Record<FormatField | 'username' | 'password', string>>>;

export type Credential = Pick<Login, 'username' | 'password'>;

/**
 * The credential that a destination publishes, possibly in one of the formats only. Undefined if it
 * has none, or none that can be read.
 */
export function credentialIn({ username, password, ...formats }: Published): Credential | undefined {
  if (username !== undefined && password !== undefined) return { username, password };
  return toldIn(formats).flatMap((told) => {
    return told.password === undefined ? [] : [{ username: told.username, password: told.password }];
  })[0];
}

/** The login that a destination publishes, which a format may name without its password. */
export function usernameIn(fields: Published): string | undefined {
  return fields.username ?? (credentialIn(fields) ?? toldIn(fields)[0])?.username;
}

/** What each format says that can be read. */
export function toldIn(fields: Published): readonly Told[] {
  return FORMAT_FIELDS.flatMap((field) => {
    const text = fields[field];
    return (text === undefined ? undefined : FORMATS[field].read(text)) ?? [];
  });
}
