import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { promotableStages } from '../promotable-stages.ts';
import { readVersion } from '../read-version.ts';
import { refuseOther } from '../refuse-other.ts';
import {
  isJson,
  readContent,
  requireValues,
  type SecretEntries,
  secretsOf,
  writeContent,
} from '../secret-content.ts';
import type { Fields, SecretStore, Stage, Version } from '../secret-store.ts';
import { StoreError } from '../store-error.ts';
import { holderOf, isAt, LABELS, type Label, type Labels } from './aws-labels.ts';
import { refusePlaintext } from './aws-plaintext.ts';
import { awsRequests } from './aws-requests.ts';

/**
 * The service makes the first version of a secret AWSCURRENT whatever labels are asked for, so a password staged into
 * an empty secret would be published before it works. An empty secret therefore gets a version with this token first,
 * which `read` takes for absent.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
 */
const PLACEHOLDER = '00000000-0000-4000-8000-000000000000';

/**
 * Opens AWS Secrets Manager, or an emulator behind `endpoint`. A rotation's UUID is the ClientRequestToken, so the
 * secrets of one mapping share a VersionId, and a reader that pins it never mixes two versions. The labels of several
 * secrets move side by side, not at one instant.
 */
export function openAwsSecretsManagerStore({
  name,
  region,
  endpoint,
  tls,
}: {
  readonly name: string;
  readonly region?: string;
  readonly endpoint?: string;
  /** Says that secrets may go over the network in plaintext. */
  readonly tls?: { readonly mode: 'disable' };
}): SecretStore {
  const client = new SecretsManagerClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    retryMode: 'adaptive',
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });
  if (tls?.mode !== 'disable') refusePlaintext(client);
  const aws = awsRequests(name, client);

  async function readSecret(
    [secret, entries]: readonly [string, SecretEntries],
    stage: Stage,
  ): Promise<Version | undefined> {
    const value = await aws.valueOf(secret, { stage });
    if (value === undefined || value.token === PLACEHOLDER) return undefined;
    if (stage === 'pending' && value.labels.includes(LABELS.current)) return undefined;
    return { token: value.token, fields: readContent(secret, entries, value.content) };
  }

  async function fieldsUnder(token: string, secret: string, entries: SecretEntries): Promise<Fields> {
    const value = await aws.valueOf(secret, { token });
    return value === undefined ? {} : readContent(secret, entries, value.content);
  }

  /** Writes the token's version of one secret, which has none with a label. False when it had one without. */
  async function putSecret(
    secret: string,
    entries: SecretEntries,
    labels: Labels | undefined,
    token: string,
    fields: Fields,
  ): Promise<boolean> {
    const placeholder = isJson(entries) ? '{}' : 'not published yet';
    if (labels === undefined) await aws.create(secret, PLACEHOLDER, placeholder);
    else if (labels.size === 0) await aws.put(secret, PLACEHOLDER, placeholder, 'current');
    const current = isJson(entries) ? await aws.valueOf(secret, { stage: 'current' }) : undefined;
    return aws.put(secret, token, writeContent(secret, entries, fields, current?.content), 'pending');
  }

  function requirePromotable(secret: string, labels: Labels, token: string, stages: readonly Stage[]): void {
    // What was discarded has no label left, though the service may keep it for a while.
    if (isAt(labels, token, ...stages)) return;
    throw new StoreError(
      'invalid',
      `The store ${name}: ${secret} has no version ${token} to promote; rotate again`,
    );
  }

  return {
    read: (mapping, stage) => readVersion([...secretsOf(mapping)], stage, readSecret),

    async stage(mapping, token, fields, { create }) {
      requireValues(mapping, fields);
      const secrets = [...secretsOf(mapping)];
      // All are looked at before any is made.
      const looked = new Map(
        await inParallel(
          secrets,
          async ([secret]) =>
            [secret, await (create ? aws.labelsOf(secret) : aws.requireLabels(secret))] as const,
        ),
      );
      const known = secrets.filter(([secret]) => looked.get(secret)?.has(token));
      const staged = await inParallel(known, ([secret, entries]) => fieldsUnder(token, secret, entries));
      let first: Fields = Object.assign({}, ...staged);
      for (const [secret, entries] of secrets) {
        const labels = looked.get(secret);
        if (isAt(labels, token, 'pending', 'current', 'previous')) continue;
        if (!labels?.has(token)) {
          refuseOther(name, token, first, fields);
          if (!(await putSecret(secret, entries, labels, token, fields))) {
            first = { ...first, ...(await fieldsUnder(token, secret, entries)) };
          }
        }
        // A version that was there already need not have the label: it may have been discarded, or lost it to another.
        await aws.move(secret, 'pending', (now) =>
          isAt(now, token, 'pending', 'current', 'previous')
            ? undefined
            : { from: holderOf(now, 'pending'), to: token },
        );
      }
    },

    async promote(mapping, token, options) {
      const stages = promotableStages(options);
      // Looked up first, so that nothing moves when one is missing, and then all as close together as the service lets them.
      const secrets = await inParallel(
        [...secretsOf(mapping).keys()],
        async (secret) => [secret, await aws.requireLabels(secret)] as const,
      );
      for (const [secret, labels] of secrets) requirePromotable(secret, labels, token, stages);
      const makeCurrent = (secret: string) => (labels: Labels) => {
        requirePromotable(secret, labels, token, stages);
        if (isAt(labels, token, 'current')) return undefined;
        return { from: holderOf(labels, 'current'), to: token };
      };
      await inParallel(secrets, ([secret, labels]) =>
        aws.move(secret, 'current', makeCurrent(secret), labels),
      );
      // The service leaves this label on what was promoted. It goes when all are current: until then it is the mark
      // of a promotion to go on with.
      await inParallel(secrets, ([secret, labels]) =>
        aws.move(secret, 'pending', unlabel('pending', token), labels),
      );
    },

    async discard(mapping, token) {
      const secrets = await inParallel(
        [...secretsOf(mapping).keys()],
        async (secret) => [secret, await aws.labelsOf(secret)] as const,
      );
      // Its promotion has begun, and what is current in one secret must become so in all.
      if (secrets.some(([, labels]) => isAt(labels, token, 'current'))) return;
      await inParallel(secrets, async ([secret, labels]) => {
        if (labels) await aws.move(secret, 'pending', unlabel('pending', token), labels);
      });
    },

    async rehearse(mapping, token, fields) {
      requireValues(mapping, fields);
      const secrets = [...secretsOf(mapping)];
      for (const [secret] of secrets) {
        // The first version would be made current, whatever label it is given.
        if (holderOf(await aws.requireLabels(secret), 'current') !== undefined) continue;
        throw new StoreError('missing', `The store ${name}: the secret ${secret} has no version yet`);
      }
      for (const [secret, entries] of secrets) {
        const current = isJson(entries) ? await aws.valueOf(secret, { stage: 'current' }) : undefined;
        await aws.put(secret, token, writeContent(secret, entries, fields, current?.content), 'rehearsal');
        await aws.move(secret, 'rehearsal', unlabel('rehearsal', token));
      }
    },

    async close() {
      client.destroy();
    },
  };
}

function unlabel(label: Label, token: string) {
  return (labels: Labels) => (isAt(labels, token, label) ? { from: token, to: undefined } : undefined);
}

/** Like Promise.all, but waits for the others when one fails: no label may move after the verb has ended. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const settled = await Promise.allSettled(items.map(act));
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
