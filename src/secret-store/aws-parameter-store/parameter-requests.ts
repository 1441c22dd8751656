import type * as Sdk from '@aws-sdk/client-ssm';
import { fault } from '../../facts/fault.ts';
import type { AwsClient } from '../aws/aws-client.ts';
import { awsError } from '../aws/aws-error.ts';

export type ParameterClient = AwsClient<typeof Sdk, Sdk.SSMClient>;

/** The latest version of a parameter. */
export interface Parameter {
  readonly text: string;
  readonly version: number;
  readonly since: Date | undefined;
}

export interface ParameterSettings {
  /**
   * Id, ARN or alias of the KMS key. Left out: the account's key for Parameter Store, also for a
   * parameter that had another one.
   * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
   */
  readonly kmsKey?: string;
  readonly tier?: 'standard' | 'advanced' | 'intelligent';
}

const TIERS = { standard: 'Standard', advanced: 'Advanced', intelligent: 'Intelligent-Tiering' } as const;

/** Requests to Parameter Store, of one parameter each: absent, or a Fault. */
export class ParameterRequests {
  readonly #store: string;
  readonly #client: ParameterClient;
  readonly #settings: ParameterSettings;

  constructor(store: string, client: ParameterClient, settings: ParameterSettings) {
    this.#store = store;
    this.#client = client;
    this.#settings = settings;
  }

  /** Undefined when the parameter does not exist. `version` asks for an older one. */
  async read(name: string, version?: number): Promise<Parameter | undefined> {
    const { sdk, client } = await this.#client.open();
    const which = version === undefined ? name : `${name}:${version}`;
    const command = new sdk.GetParameterCommand({ Name: which, WithDecryption: true });
    const answer = await this.#ask(client.send(command), 'GetParameter', name, [
      'ParameterNotFound',
      'ParameterVersionNotFound',
    ]);
    const found = answer?.Parameter;
    if (found?.Value === undefined || found.Version === undefined) return undefined;
    if (found.Type !== 'SecureString') {
      throw fault('parameter-in-plaintext', { store: this.#store, secret: name });
    }
    return { text: found.Value, version: found.Version, since: found.LastModifiedDate };
  }

  /**
   * Writes the next version of a parameter, if the latest is still `replaced`. The service has no
   * such condition for one that exists, only the number of the version that was written. Where that
   * is not the next one, another process was quicker, and what it wrote is put back.
   * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
   */
  async replace(name: string, text: string, replaced: Parameter | undefined): Promise<boolean> {
    const written = await this.#put(name, text, replaced !== undefined);
    if (replaced === undefined) return written !== undefined;
    if (written === undefined || written === replaced.version + 1) return written !== undefined;
    const other = await this.read(name, written - 1);
    // Where the answer to a request was lost, the SDK sent it again.
    if (other?.text === text) return true;
    if (other !== undefined) await this.#put(name, other.text, true);
    return false;
  }

  async delete(name: string): Promise<void> {
    const { sdk, client } = await this.#client.open();
    const command = new sdk.DeleteParameterCommand({ Name: name });
    await this.#ask(client.send(command), 'DeleteParameter', name, ['ParameterNotFound']);
  }

  /** The number of the version that was written; undefined where the parameter exists already. */
  async #put(name: string, text: string, overwrite: boolean): Promise<number | undefined> {
    const { kmsKey, tier } = this.#settings;
    const { sdk, client } = await this.#client.open();
    const command = new sdk.PutParameterCommand({
      Name: name,
      Value: text,
      Type: 'SecureString',
      Overwrite: overwrite,
      ...(kmsKey === undefined ? {} : { KeyId: kmsKey }),
      ...(tier === undefined ? {} : { Tier: TIERS[tier] }),
      ...(overwrite ? {} : { Description: 'A PostgreSQL login, rotated by keyturn' }),
    });
    const answer = await this.#ask(client.send(command), 'PutParameter', name, ['ParameterAlreadyExists']);
    return answer?.Version;
  }

  async #ask<Answer>(
    request: Promise<Answer>,
    action: string,
    secret: string,
    expected: readonly string[],
  ): Promise<Answer | undefined> {
    try {
      return await request;
    } catch (error) {
      // The SDK gives each error of the service a name, and exports no class for some.
      if (expected.includes((error as Error).name)) return undefined;
      throw awsError(error, { store: this.#store, service: 'ssm', action, secret });
    }
  }
}
