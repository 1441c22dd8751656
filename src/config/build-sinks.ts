import { fact } from '../facts/fact.ts';
import type { Tls } from './config.ts';
import type { Path } from './config-error.ts';
import type { Review } from './review.ts';
import type { Entries } from './schema/entries.ts';
import { suggested } from './schema/report-issue.ts';
import type { SinkEntry } from './schema/sink-schema.ts';
import type { Sink } from './sink.ts';
import { readTls } from './tls/read-tls.ts';
import { readMaterial } from './tls/tls-material.ts';
import { hostOfUrl, isPublicAddress } from './values/public-address.ts';
import { isLoopback } from './values/server.ts';
import type { ReadText } from './yaml/read-text.ts';

type HttpEntry = Pick<Extract<SinkEntry, { url: string }>, 'url' | 'allowPrivate' | 'ca'>;

/** Builds the sinks of events, and reports what the schema cannot see. */
export function buildSinks(
  review: Review,
  { sinks, policies }: Entries,
  readText: ReadText,
): ReadonlyMap<string, Sink> {
  return new Map(
    [...sinks].flatMap(([name, entry]): [string, Sink][] => {
      if (entry === undefined) return [];
      const path = ['events', 'sinks', name];
      checkPolicies(review, path, entry, [...policies.keys()]);
      return [[name, completed(review, path, { name, ...entry }, readText)]];
    }),
  );
}

/** A sink with the certificates that its entry names. */
function completed(
  review: Review,
  path: Path,
  entry: SinkEntry & { readonly name: string },
  readText: ReadText,
): Sink {
  switch (entry.type) {
    case 'command':
      return entry;
    case 'mail':
      return { ...entry, tls: mailTls(review, path, entry, readText) };
    case 'webhook':
      checkSecrets(review, path, entry.secrets);
      return { ...entry, ...checkedHttp(review, path, entry, readText) };
    default:
      return { ...entry, ...checkedHttp(review, path, entry, readText) };
  }
}

function mailTls(
  review: Review,
  path: Path,
  { host, tls, user, password }: Extract<SinkEntry, { type: 'mail' }>,
  readText: ReadText,
): Tls {
  if ((user === undefined) !== (password === undefined)) {
    const [there, missing] =
      user === undefined ? (['password', 'user'] as const) : (['user', 'password'] as const);
    review.report([...path, missing], fact('sink-mail-login-incomplete', { there }));
  }
  if (tls.mode === 'disable' && !isLoopback(host))
    review.report([...path, 'tls', 'mode'], fact('sink-mail-plaintext', {}));
  return readTls(review, path, { host, tls }, readText);
}

function checkedHttp(
  review: Review,
  path: Path,
  entry: HttpEntry,
  readText: ReadText,
): { readonly ca?: string } {
  checkUrl(review, path, entry);
  return entry.ca === undefined ? {} : readMaterial(review, path, 'verify-full', { ca: entry.ca }, readText);
}

function checkPolicies(
  review: Review,
  path: Path,
  { policies = [] }: SinkEntry,
  known: readonly string[],
): void {
  if (review.keysAt(['policies']) === undefined) return;
  for (const [index, name] of policies.entries()) {
    if (known.includes(name)) continue;
    const at = [...path, 'policies', index];
    const unknown = { kind: 'policy', value: review.shown(at), known } as const;
    review.report(at, fact('config-reference-unknown', { ...unknown, ...suggested(name, known) }));
  }
}

function checkUrl(review: Review, path: Path, { url: written, allowPrivate }: HttpEntry): void {
  const at = [...path, 'url'];
  const url = new URL(written);
  if (url.username !== '' || url.password !== '') review.report(at, fact('sink-url-has-credentials', {}));
  if (allowPrivate) return;
  const host = hostOfUrl(url);
  const isAddress = /^[\d.]+$/.test(host) || host.includes(':');
  if (url.protocol === 'http:') review.report(at, fact('sink-url-plaintext', {}));
  else if (isAddress ? !isPublicAddress(host) : isLoopback(host))
    review.report(at, fact('sink-url-private', {}));
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const SECRET = /^whsec_((?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?)$/;
const SECRET_BYTES = { least: 24, most: 64 };

function checkSecrets(review: Review, path: Path, secrets: readonly string[]): void {
  for (const [index, secret] of secrets.entries()) {
    const bytes = Buffer.from(SECRET.exec(secret)?.[1] ?? '', 'base64').length;
    if (bytes >= SECRET_BYTES.least && bytes <= SECRET_BYTES.most) continue;
    review.report([...path, 'secrets', index], fact('sink-secret-invalid', {}));
  }
}
