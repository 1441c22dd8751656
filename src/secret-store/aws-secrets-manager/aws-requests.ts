import { setTimeout as sleep } from 'node:timers/promises';
import type * as Sdk from '@aws-sdk/client-secrets-manager';
import type { MadeSecrets } from '../../config/stores.ts';
import { fault, isFault } from '../../facts/fault.ts';
import type { AwsClient } from '../aws/aws-client.ts';
import { awsError } from '../aws/aws-error.ts';
import type { Stage } from '../secret-store.ts';

import { LABELS, type Label, type Labels } from './aws-labels.ts';

/** How often a label is moved anew when another process moved it first. */
const ATTEMPTS = 6;

export type SecretsClient = AwsClient<typeof Sdk, Sdk.SecretsManagerClient>;

/** The content of one version of a secret. */
export interface Value {
  readonly token: string | undefined;
  readonly labels: readonly string[];
  readonly content: string;
  readonly madeAt: Date | undefined;
}

/** From which version a label is taken, and to which it goes; undefined: from or to none. */
export interface Move {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/**
 * The store's requests, of one secret each, in the terms of the contract: absent, or a Fault.
 */
export class AwsRequests {
  readonly #store: string;
  readonly #client: SecretsClient;
  readonly #made: MadeSecrets;

  /** `store` is the name that faults give. */
  constructor(store: string, client: SecretsClient, made: MadeSecrets = {}) {
    this.#store = store;
    this.#client = client;
    this.#made = made;
  }

  /** Undefined when the secret does not exist, or has no such version. */
  async valueOf(
    secret: string,
    version: { readonly stage: Stage } | { readonly token: string },
  ): Promise<Value | undefined> {
    const which = 'stage' in version ? { VersionStage: LABELS[version.stage] } : { VersionId: version.token };
    const { sdk, client } = await this.#client.open();
    const command = new sdk.GetSecretValueCommand({ SecretId: secret, ...which });
    const value = await this.#ask(
      client.send(command),
      'GetSecretValue',
      secret,
      'ResourceNotFoundException',
    );
    if (value?.SecretBinary !== undefined) throw fault('secret-binary', { store: this.#store, secret });
    if (value?.SecretString === undefined) return undefined;
    return {
      token: value.VersionId,
      labels: value.VersionStages ?? [],
      content: value.SecretString,
      madeAt: value.CreatedDate,
    };
  }

  /** Undefined when the secret does not exist. */
  async labelsOf(secret: string): Promise<Labels | undefined> {
    const { sdk, client } = await this.#client.open();
    const command = new sdk.DescribeSecretCommand({ SecretId: secret });
    const answer = await this.#ask(
      client.send(command),
      'DescribeSecret',
      secret,
      'ResourceNotFoundException',
    );
    if (answer?.DeletedDate) throw fault('secret-deleted', { store: this.#store, secret });
    return answer && new Map(Object.entries(answer.VersionIdsToStages ?? {}));
  }

  async requireLabels(secret: string): Promise<Labels> {
    const labels = await this.labelsOf(secret);
    if (labels) return labels;
    throw fault('secret-missing', { store: this.#store, secret });
  }

  /** Makes the secret with a first version; when it exists by now, it stays as it is. */
  async create(secret: string, token: string, content: string): Promise<void> {
    const { sdk, client } = await this.#client.open();
    const command = new sdk.CreateSecretCommand({
      Name: secret,
      ClientRequestToken: token,
      SecretString: content,
      ...asMade(this.#made),
    });
    await this.#ask(client.send(command), 'CreateSecret', secret, 'ResourceExistsException');
  }

  /**
   * Marks the secret for deletion. It can be restored for as long as the service says, by default
   * 30 days:
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
   */
  async delete(secret: string): Promise<void> {
    const { sdk, client } = await this.#client.open();
    const command = new sdk.DeleteSecretCommand({ SecretId: secret });
    await this.#ask(client.send(command), 'DeleteSecret', secret, 'ResourceNotFoundException');
  }

  /** False when the token has a version with other content, which stays. */
  async put(secret: string, token: string, content: string, stage: Label): Promise<boolean> {
    const { sdk, client } = await this.#client.open();
    const command = new sdk.PutSecretValueCommand({
      SecretId: secret,
      ClientRequestToken: token,
      SecretString: content,
      VersionStages: [LABELS[stage]],
    });
    const answer = this.#ask(client.send(command), 'PutSecretValue', secret, 'ResourceExistsException');
    return (await answer) !== undefined;
  }

  /**
   * Moves a label as `decide` says of the labels as they are; `looked` spares the first look. When
   * another process moved it since, looks again.
   */
  async move(
    secret: string,
    stage: Label,
    decide: (labels: Labels) => Move | undefined,
    looked?: Labels,
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const labels = attempt === 1 ? looked : undefined;
      const move = decide(labels ?? (await this.requireLabels(secret)));
      if (move === undefined) return;
      const { sdk, client } = await this.#client.open();
      const command = new sdk.UpdateSecretVersionStageCommand({
        SecretId: secret,
        VersionStage: LABELS[stage],
        ...(move.from === undefined ? {} : { RemoveFromVersionId: move.from }),
        ...(move.to === undefined ? {} : { MoveToVersionId: move.to }),
      });
      // The answer when the label is not, or no longer, where `from` says.
      // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
      const outdated = attempt < ATTEMPTS ? 'InvalidParameterException' : undefined;
      if (await this.#ask(client.send(command), 'UpdateSecretVersionStage', secret, outdated)) return;
      await sleep(20 * 2 ** attempt);
    }
  }

  /** Awaits a request; an error that `expected` names is undefined, every other a Fault. */
  async #ask<Answer>(
    request: Promise<Answer>,
    action: string,
    secret: string,
    expected?: string,
  ): Promise<Answer | undefined> {
    try {
      return await request;
    } catch (error) {
      // The SDK gives each error of the service a name, and exports no class for some.
      const { name } = error as Error;
      if (name === expected) return undefined;
      if (name === 'InvalidRequestException' && action !== 'DescribeSecret')
        await this.#refuseDeleted(secret);
      throw awsError(error, { store: this.#store, service: 'secretsmanager', action, secret });
    }
  }

  /**
   * InvalidRequestException has several causes that only the service's message tells apart. Asks
   * the secret.
   */
  async #refuseDeleted(secret: string): Promise<void> {
    try {
      await this.labelsOf(secret);
    } catch (error) {
      if (isFault(error, 'secret-deleted', 'secret-missing')) throw error;
    }
  }
}

function asMade({ kmsKey, description, tags, replicaRegions }: MadeSecrets) {
  const regions = replicaRegions?.map(({ region: Region, kmsKey: KmsKeyId }) =>
    KmsKeyId === undefined ? { Region } : { Region, KmsKeyId },
  );
  return {
    Description: description ?? 'A PostgreSQL login, rotated by keyturn',
    ...(kmsKey === undefined ? {} : { KmsKeyId: kmsKey }),
    ...(tags === undefined ? {} : { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }),
    ...(regions === undefined ? {} : { AddReplicaRegions: regions }),
  };
}
