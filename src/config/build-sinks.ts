import { fact } from '../facts/fact.ts';
import type { Path } from './config-error.ts';
import type { Review } from './review.ts';
import type { Entries } from './schema/entries.ts';
import { suggested } from './schema/report-issue.ts';
import type { SinkEntry } from './schema/sink-schema.ts';
import type { Sink } from './sink.ts';
import { readMaterial } from './tls/tls-material.ts';
import { hostOfUrl, isPublicAddress } from './values/public-address.ts';
import { isLoopback } from './values/server.ts';
import type { ReadText } from './yaml/read-text.ts';

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
      checkUrl(review, path, entry);
      checkSecrets(review, path, entry.secrets);
      const { ca, ...rest } = entry;
      const trusted = ca === undefined ? {} : readMaterial(review, path, 'verify-full', { ca }, readText);
      return [[name, { name, ...rest, ...trusted }]];
    }),
  );
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

function checkUrl(
  review: Review,
  path: Path,
  { url: written, allowPrivate }: Pick<SinkEntry, 'url' | 'allowPrivate'>,
): void {
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
