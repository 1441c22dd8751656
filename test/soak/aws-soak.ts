import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { openCredentials } from '../../src/consumer/credentials.ts';
import { openAwsSecretsManagerStore } from '../../src/secret-store/aws-secrets-manager/aws-secrets-manager-store.ts';
import type { Scenario } from '../support/scenario.ts';
import { uniqueName } from '../support/unique-name.ts';

/** What a kind of reader found: how many pairs, and how many of them were never published. */
export interface Pairs {
  read: number;
  mixed: number;
}

export interface AwsSoaked {
  readonly rotations: number;
  readonly seconds: number;
  readonly library: Pairs;
  readonly naive: Pairs;
  readonly failures: readonly string[];
}

const region = 'eu-central-1';

/** Rotates a policy whose username and password are two secrets on AWS, while readers never rest. */
export async function soakAws(from: Scenario, endpoint: string, rotations: number): Promise<AwsSoaked> {
  const names = { username: uniqueName('user'), password: uniqueName('password') };
  const secrets = { username: { secret: names.username }, password: { secret: names.password } };
  const store = openAwsSecretsManagerStore({ name: 'aws', region, endpoint });
  const scenario = from.with({ destinations: [{ name: 'aws (primary)', store, create: true, secrets }] });
  const client = new SecretsManagerClient({ region, endpoint });
  const credentials = openCredentials({ type: 'aws-secrets-manager', region, endpoint, secrets: names });
  const rotate = async () => {
    const outcome = await scenario.finish(await scenario.request());
    if (outcome.status !== 'done') throw new Error(`a rotation is ${JSON.stringify(outcome)}`);
    published.add(pairOf(await scenario.published()));
  };
  const published = new Set<string>();
  const failures: string[] = [];
  const ended = new AbortController();
  const began = performance.now();
  try {
    await rotate();
    const readers = [
      loop(ended.signal, failures, () => credentials.refresh()),
      loop(ended.signal, failures, () => readNaively(client, names)),
    ];
    try {
      for (let count = 0; count < rotations; count += 1) await rotate();
    } finally {
      ended.abort();
    }
    const [library = [], naive = []] = await Promise.all(readers);
    const countOf = (pairs: readonly string[]): Pairs => ({
      read: pairs.length,
      mixed: pairs.filter((pair) => !published.has(pair)).length,
    });
    const seconds = Math.round((performance.now() - began) / 1_000);
    return { rotations, seconds, library: countOf(library), naive: countOf(naive), failures };
  } finally {
    await credentials.close();
    client.destroy();
    await store.close();
  }
}

interface Pair {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

function pairOf({ username, password }: Pair): string {
  return `${username} ${password}`;
}

async function loop(signal: AbortSignal, failures: string[], read: () => Promise<Pair>): Promise<string[]> {
  const pairs: string[] = [];
  while (!signal.aborted) {
    try {
      pairs.push(pairOf(await read()));
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  return pairs;
}

/** As an application reads that knows nothing of versions: what is current, one after the other. */
async function readNaively(
  client: SecretsManagerClient,
  names: { readonly username: string; readonly password: string },
): Promise<Pair> {
  const current = async (SecretId: string) => {
    const answer = await client.send(new GetSecretValueCommand({ SecretId, VersionStage: 'AWSCURRENT' }));
    return answer.SecretString;
  };
  return { username: await current(names.username), password: await current(names.password) };
}

export function describeAwsSoak({ rotations, seconds, library, naive, failures }: AwsSoaked): string {
  return [
    `soak: two secrets on AWS, ${rotations} rotations in ${seconds} s`,
    `${library.read} pairs read by the library, ${library.mixed} mixed`,
    `${naive.read} pairs read without it, ${naive.mixed} mixed`,
    `${failures.length} reads failed`,
  ].join(', ');
}
