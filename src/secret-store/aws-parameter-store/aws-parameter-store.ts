import type { Mapping } from '../../config/policy.ts';
import { AwsClient, type AwsSettings, clientConfig, guarded } from '../aws/aws-client.ts';
import { secretsOf } from '../secret-content.ts';
import type { SecretStore } from '../secret-store.ts';
import type { Backend, Contents, Held, Shown, Unit } from '../shelf/backend.ts';
import { storeWithShelf } from '../shelf/with-shelf.ts';
import {
  type Parameter,
  type ParameterClient,
  ParameterRequests,
  type ParameterSettings,
} from './parameter-requests.ts';

export interface ParameterStoreSettings extends AwsSettings, ParameterSettings {
  readonly name: string;
  /** The first part of the names under which versions are staged. */
  readonly staging: string;
}

/**
 * Opens AWS Systems Manager Parameter Store. Who reads a parameter without a version gets the
 * latest, so a version is staged under another name, `/keyturn/<name>`, until it is promoted.
 */
export function openAwsParameterStore(settings: ParameterStoreSettings): SecretStore {
  const client: ParameterClient = new AwsClient(async () => {
    const sdk = await import('@aws-sdk/client-ssm');
    const client = new sdk.SSMClient(clientConfig(settings.name, settings));
    return { sdk, client: guarded(client, settings) };
  });
  return storeWithShelf(settings.name, new ParameterBackend(client, settings));
}

class SeenParameter implements Shown {
  readonly parameter: Parameter;

  constructor(parameter: Parameter) {
    this.parameter = parameter;
  }

  get since(): Date | undefined {
    return this.parameter.since;
  }

  contentOf(): string {
    return this.parameter.text;
  }
}

interface HeldParameter extends Held, Parameter {}

class ParameterBackend implements Backend<SeenParameter, HeldParameter> {
  readonly #client: ParameterClient;
  readonly #requests: ParameterRequests;
  readonly #staging: string;

  constructor(client: ParameterClient, { name, staging, ...settings }: ParameterStoreSettings) {
    this.#client = client;
    this.#requests = new ParameterRequests(name, client, settings);
    this.#staging = staging;
  }

  unitsOf(mapping: Mapping): Unit[] {
    return [...secretsOf(mapping)].map(([name, entries]) => ({ name, secrets: new Map([[name, entries]]) }));
  }

  async readShown({ name }: Unit): Promise<SeenParameter | undefined> {
    const found = await this.#requests.read(name);
    return found && new SeenParameter(found);
  }

  async writeShown(
    { name }: Unit,
    contents: Contents,
    replaced: SeenParameter | undefined,
  ): Promise<boolean> {
    const content = contents.get(name);
    return content === undefined || this.#requests.replace(name, content.text, replaced?.parameter);
  }

  readShelf(unit: Unit): Promise<HeldParameter | undefined> {
    return this.#requests.read(this.#shelfOf(unit));
  }

  writeShelf(unit: Unit, text: string, replaced: HeldParameter | undefined): Promise<boolean> {
    return this.#requests.replace(this.#shelfOf(unit), text, replaced);
  }

  async deleteUnit(unit: Unit): Promise<void> {
    await this.#requests.delete(unit.name);
    await this.#requests.delete(this.#shelfOf(unit));
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #shelfOf({ name }: Unit): string {
    return `/${this.#staging}/${name.replace(/^\//, '')}`;
  }
}
