import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { Stage } from '../secret-store.ts';
import { StoreError } from '../store-error.ts';
import { awsError } from './aws-error.ts';
import { LABELS, type Label, type Labels } from './aws-labels.ts';

/** So often a label is moved anew when another process moved it first. */
const ATTEMPTS = 6;

/** The content of one version of a secret. */
interface Value {
  readonly token: string | undefined;
  readonly labels: readonly string[];
  readonly content: string;
}

/** From which version a label is taken, and to which it goes; undefined: from or to none. */
interface Move {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** The requests that the store makes of one secret each, in the terms of the contract: absent, or a StoreError. */
export interface AwsRequests {
  /** Undefined when the secret does not exist, or has no such version. */
  valueOf(secret: string, version: { stage: Stage } | { token: string }): Promise<Value | undefined>;
  /** Undefined when the secret does not exist. */
  labelsOf(secret: string): Promise<Labels | undefined>;
  requireLabels(secret: string): Promise<Labels>;
  /** Makes the secret with a first version; when it exists by now, it stays as it is. */
  create(secret: string, token: string, content: string): Promise<void>;
  /** False when the token has a version with other content, which stays. */
  put(secret: string, token: string, content: string, stage: Label): Promise<boolean>;
  /**
   * Moves a label as `decide` says of the labels as they are; `looked` spares the first look. When another process
   * moved it since, looks again.
   */
  move(
    secret: string,
    stage: Label,
    decide: (labels: Labels) => Move | undefined,
    looked?: Labels,
  ): Promise<void>;
}

/** The requests of a store by its name, through a client. */
export function awsRequests(name: string, client: SecretsManagerClient): AwsRequests {
  /** Awaits a request; an error that `expected` names is undefined, every other a StoreError. */
  async function ask<Answer>(
    request: Promise<Answer>,
    action: string,
    secret: string,
    expected?: string,
  ): Promise<Answer | undefined> {
    try {
      return await request;
    } catch (error) {
      const fault = (error as Error).name;
      if (fault === expected) return undefined;
      if (fault === 'InvalidRequestException' && action !== 'DescribeSecret') await refuseDeleted(secret);
      throw awsError(error, name, action, secret);
    }
  }

  /** That fault has several causes, and only the service's message would tell them apart. So the secret is asked. */
  async function refuseDeleted(secret: string): Promise<void> {
    try {
      await labelsOf(secret);
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'missing') throw error;
    }
  }

  async function labelsOf(secret: string): Promise<Labels | undefined> {
    const command = new DescribeSecretCommand({ SecretId: secret });
    const answer = await ask(client.send(command), 'DescribeSecret', secret, 'ResourceNotFoundException');
    if (answer?.DeletedDate) {
      throw new StoreError(
        'missing',
        `The store ${name}: the secret ${secret} is marked for deletion; restore it, which keyturn never does by itself: aws secretsmanager restore-secret --secret-id ${secret}`,
      );
    }
    return answer && new Map(Object.entries(answer.VersionIdsToStages ?? {}));
  }

  async function requireLabels(secret: string): Promise<Labels> {
    const labels = await labelsOf(secret);
    if (labels) return labels;
    throw new StoreError(
      'missing',
      `The store ${name} has no secret ${secret}; make it, or set create: true`,
    );
  }

  return {
    labelsOf,
    requireLabels,

    async valueOf(secret, version) {
      const which =
        'stage' in version ? { VersionStage: LABELS[version.stage] } : { VersionId: version.token };
      const command = new GetSecretValueCommand({ SecretId: secret, ...which });
      const value = await ask(client.send(command), 'GetSecretValue', secret, 'ResourceNotFoundException');
      if (value?.SecretBinary !== undefined) {
        throw new StoreError(
          'invalid',
          `The store ${name}: the secret ${secret} holds binary content; give it a string, or map another secret`,
        );
      }
      if (value?.SecretString === undefined) return undefined;
      return { token: value.VersionId, labels: value.VersionStages ?? [], content: value.SecretString };
    },

    async create(secret, token, content) {
      const command = new CreateSecretCommand({
        Name: secret,
        ClientRequestToken: token,
        SecretString: content,
        Description: 'A PostgreSQL login, rotated by keyturn',
      });
      await ask(client.send(command), 'CreateSecret', secret, 'ResourceExistsException');
    },

    async put(secret, token, content, stage) {
      const command = new PutSecretValueCommand({
        SecretId: secret,
        ClientRequestToken: token,
        SecretString: content,
        VersionStages: [LABELS[stage]],
      });
      const answer = ask(client.send(command), 'PutSecretValue', secret, 'ResourceExistsException');
      return (await answer) !== undefined;
    },

    async move(secret, stage, decide, looked) {
      for (let attempt = 1; ; attempt += 1) {
        const labels = attempt === 1 ? looked : undefined;
        const move = decide(labels ?? (await requireLabels(secret)));
        if (move === undefined) return;
        const command = new UpdateSecretVersionStageCommand({
          SecretId: secret,
          VersionStage: LABELS[stage],
          ...(move.from === undefined ? {} : { RemoveFromVersionId: move.from }),
          ...(move.to === undefined ? {} : { MoveToVersionId: move.to }),
        });
        // Answered so when the label is not, or no more, where `from` says.
        // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
        const outdated = attempt < ATTEMPTS ? 'InvalidParameterException' : undefined;
        if (await ask(client.send(command), 'UpdateSecretVersionStage', secret, outdated)) return;
        await sleep(20 * 2 ** attempt);
      }
    },
  };
}
