import type { Mapping } from '../../config/policy.ts';
import type { MadeSecrets } from '../../config/stores.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { fault, isFault } from '../../facts/fault.ts';
import { latestOf, promotableStages, refuseOther, requireUnshared } from '../adapter-rules.ts';
import { AwsClient, type AwsSettings, clientConfig, guarded } from '../aws/aws-client.ts';
import { inParallel } from '../in-parallel.ts';
import { readVersion } from '../read-version.ts';
import {
  isJson,
  readContent,
  requireValues,
  type SecretEntries,
  secretsOf,
  writeContent,
} from '../secret-content.ts';
import type { Fields, PromoteOptions, SecretStore, Stage, Version } from '../secret-store.ts';
import { holderOf, isAt, LABELS, type Label, type Labels } from './aws-labels.ts';
import { AwsRequests, type SecretsClient } from './aws-requests.ts';

/**
 * The service makes the first version of a secret AWSCURRENT whatever labels are asked for, so a
 * password staged into an empty secret would be published before it works. An empty secret
 * therefore gets a version with this token first, which `read` takes for absent.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
 */
const PLACEHOLDER = '00000000-0000-4000-8000-000000000000';

/** The stages at which a version is that has been staged. */
const STAGED = ['pending', 'current', 'previous'] as const;

/**
 * Opens AWS Secrets Manager, or an emulator behind `endpoint`. A rotation's UUID is the
 * ClientRequestToken, so the secrets of one mapping share a VersionId, and a reader that pins it
 * never mixes two versions. The labels of several secrets move side by side, not at one instant.
 */
export function openAwsSecretsManagerStore(
  settings: AwsSettings & MadeSecrets & { readonly name: string },
): SecretStore {
  const client: SecretsClient = new AwsClient(async () => {
    const sdk = await import('@aws-sdk/client-secrets-manager');
    const client = new sdk.SecretsManagerClient(clientConfig(settings.name, settings));
    return { sdk, client: guarded(client, settings) };
  });
  return new AwsSecretsManagerStore(settings.name, client, settings);
}

class AwsSecretsManagerStore implements SecretStore {
  readonly #name: string;
  readonly #client: SecretsClient;
  readonly #aws: AwsRequests;

  constructor(name: string, client: SecretsClient, made: MadeSecrets) {
    this.#name = name;
    this.#client = client;
    this.#aws = new AwsRequests(name, client, made);
  }

  async read(mapping: Mapping, stage: Stage): Promise<Version | undefined> {
    return readVersion([...secretsOf(mapping)], stage, (unit, at) => this.#readSecret(unit, at));
  }

  async since(mapping: Mapping): Promise<Date | undefined> {
    const read = ([secret]: readonly [string, SecretEntries]) =>
      this.#aws.valueOf(secret, { stage: 'current' });
    const values = await inParallel([...secretsOf(mapping)], read);
    // When it was made: the service does not tell when it became current.
    const published = values.filter((value) => value?.token !== PLACEHOLDER);
    return latestOf(published.flatMap((value) => value?.madeAt ?? []));
  }

  async stage(
    mapping: Mapping,
    token: string,
    fields: Fields,
    { create }: { readonly create: boolean },
  ): Promise<void> {
    requireValues(mapping, fields);
    const secrets = [...secretsOf(mapping)];
    // All are looked at before any is made.
    const looked = new Map(
      await inParallel(
        secrets,
        async ([secret]) =>
          [secret, await (create ? this.#aws.labelsOf(secret) : this.#aws.requireLabels(secret))] as const,
      ),
    );
    const known = secrets.filter(([secret]) => looked.get(secret)?.has(token));
    const staged = await inParallel(known, ([secret, entries]) => this.#fieldsUnder(token, secret, entries));
    let first: Fields = Object.assign({}, ...staged);
    for (const [secret, entries] of secrets) {
      const labels = looked.get(secret);
      if (isAt(labels, token, ...STAGED)) continue;
      if (!labels?.has(token)) {
        refuseOther(this.#name, token, first, fields);
        if (!(await this.#putSecret(secret, entries, labels, token, fields))) {
          first = { ...first, ...(await this.#fieldsUnder(token, secret, entries)) };
        }
      }
      await this.#labelPending(secret, token);
    }
  }

  async promote(mapping: Mapping, token: string, options?: PromoteOptions): Promise<void> {
    const stages = promotableStages(options);
    // All are looked up first, so that nothing moves when one is missing. Then all move as close
    // together as the service lets them.
    const secrets = await inParallel(
      [...secretsOf(mapping).keys()],
      async (secret) => [secret, await this.#aws.requireLabels(secret)] as const,
    );
    for (const [secret, labels] of secrets) this.#requirePromotable(secret, labels, token, stages);
    const makeCurrent = (secret: string) => (labels: Labels) => {
      this.#requirePromotable(secret, labels, token, stages);
      if (isAt(labels, token, 'current')) return undefined;
      return { from: holderOf(labels, 'current'), to: token };
    };
    await inParallel(secrets, ([secret, labels]) =>
      this.#aws.move(secret, 'current', makeCurrent(secret), labels),
    );
    // The service leaves this label on what was promoted. It goes when all are current: until then
    // it marks a promotion to go on with.
    await inParallel(secrets, async ([secret, labels]) => {
      await this.#aws.move(secret, 'pending', unlabel('pending', token), labels);
      // Of a rehearsal that stopped halfway. The service deletes only what has no label.
      const rehearsed = holderOf(labels, 'rehearsal');
      if (rehearsed) await this.#aws.move(secret, 'rehearsal', unlabel('rehearsal', rehearsed), labels);
    });
  }

  async discard(mapping: Mapping, token: string): Promise<void> {
    const secrets = await inParallel(
      [...secretsOf(mapping).keys()],
      async (secret) => [secret, await this.#aws.labelsOf(secret)] as const,
    );
    // Its promotion has begun, and what is current in one secret must become so in all.
    if (secrets.some(([, labels]) => isAt(labels, token, 'current'))) return;
    await inParallel(secrets, async ([secret, labels]) => {
      if (labels) await this.#aws.move(secret, 'pending', unlabel('pending', token), labels);
    });
  }

  async remove(mapping: Mapping): Promise<void> {
    // All are looked at before any is deleted.
    const there = await inParallel([...secretsOf(mapping)], async ([secret, entries]) => {
      if (!(await this.#isThere(secret))) return [];
      const value = isJson(entries) ? await this.#aws.valueOf(secret, { stage: 'current' }) : undefined;
      requireUnshared(this.#name, secret, entries, value?.content);
      return [secret];
    });
    await inParallel(there.flat(), (secret) => this.#aws.delete(secret));
  }

  async obstacles(
    mapping: Mapping,
    { create, current }: { readonly create: boolean; readonly current: Fields },
  ): Promise<readonly Fact[]> {
    const unseen = [...secretsOf(mapping)].filter(([, entries]) =>
      entries.every(({ field }) => current[field] === undefined),
    );
    const found = await inParallel(unseen, async ([secret]): Promise<Fact | undefined> => {
      try {
        if ((await this.#aws.labelsOf(secret)) || create) return undefined;
        return fact('secret-missing', { store: this.#name, secret });
      } catch (error) {
        if (isFault(error, 'secret-deleted')) return error.fact;
        throw error;
      }
    });
    return found.filter((obstacle) => obstacle !== undefined);
  }

  async rehearse(mapping: Mapping, token: string, fields: Fields): Promise<void> {
    requireValues(mapping, fields);
    const secrets = [...secretsOf(mapping)];
    for (const [secret] of secrets) {
      // The first version would be made current, whatever label it is given.
      if (holderOf(await this.#aws.requireLabels(secret), 'current') !== undefined) continue;
      throw fault('secret-empty', { store: this.#name, secret });
    }
    for (const [secret, entries] of secrets) {
      await this.#aws.put(secret, token, await this.#contentOf(secret, entries, fields), 'rehearsal');
      await this.#aws.move(secret, 'rehearsal', unlabel('rehearsal', token));
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #readSecret(
    [secret, entries]: readonly [string, SecretEntries],
    stage: Stage,
  ): Promise<Version | undefined> {
    const value = await this.#aws.valueOf(secret, { stage });
    if (value === undefined || value.token === PLACEHOLDER) return undefined;
    if (stage === 'pending' && value.labels.includes(LABELS.current)) return undefined;
    return { token: value.token, fields: readContent(secret, entries, value.content) };
  }

  /** Whether a secret exists, and is not marked for deletion. */
  async #isThere(secret: string): Promise<boolean> {
    try {
      return (await this.#aws.labelsOf(secret)) !== undefined;
    } catch (error) {
      if (isFault(error, 'secret-deleted')) return false;
      throw error;
    }
  }

  async #fieldsUnder(token: string, secret: string, entries: SecretEntries): Promise<Fields> {
    const value = await this.#aws.valueOf(secret, { token });
    return value === undefined ? {} : readContent(secret, entries, value.content);
  }

  /**
   * Writes the token's version of one secret, which has none with a label. False when it had one
   * without.
   */
  async #putSecret(
    secret: string,
    entries: SecretEntries,
    labels: Labels | undefined,
    token: string,
    fields: Fields,
  ): Promise<boolean> {
    const placeholder = isJson(entries) ? '{}' : 'not published yet';
    if (labels === undefined) await this.#aws.create(secret, PLACEHOLDER, placeholder);
    else if (labels.size === 0) await this.#aws.put(secret, PLACEHOLDER, placeholder, 'current');
    return this.#aws.put(secret, token, await this.#contentOf(secret, entries, fields), 'pending');
  }

  async #contentOf(secret: string, entries: SecretEntries, fields: Fields): Promise<string> {
    const current = isJson(entries) ? await this.#aws.valueOf(secret, { stage: 'current' }) : undefined;
    return writeContent(secret, entries, fields, current?.content);
  }

  /**
   * A version that was there already need not have the label: it may have been discarded, or lost
   * it to another.
   */
  #labelPending(secret: string, token: string): Promise<void> {
    return this.#aws.move(secret, 'pending', (now) =>
      isAt(now, token, ...STAGED) ? undefined : { from: holderOf(now, 'pending'), to: token },
    );
  }

  #requirePromotable(secret: string, labels: Labels, token: string, stages: readonly Stage[]): void {
    // What was discarded has no label left, though the service may keep it for a while.
    if (isAt(labels, token, ...stages)) return;
    throw fault('version-not-promotable', { store: this.#name, secret, token });
  }
}

function unlabel(label: Label, token: string) {
  return (labels: Labels) => (isAt(labels, token, label) ? { from: token, to: undefined } : undefined);
}
