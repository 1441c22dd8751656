import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { adminOf } from '../support/admin.ts';
import type { ServerAddress } from '../support/scenario.ts';
import { uniqueName } from '../support/unique-name.ts';

export const GRACE_MS = 2_000;
export const TIMEOUT_MS = 6_000;
const INTERVAL_S = 5;

/** What a consumer reads: both parts of one version. */
export interface Published {
  /** The id of the rotation that made it. */
  readonly version: string;
  readonly user: string;
  readonly password: string;
}

export interface FleetPolicy {
  readonly name: string;
  readonly logins: readonly [string, string];
  /** Whether its password may be taken for leaked: then what was read is refused at once, without a grace. */
  readonly mayLeak: boolean;
  /** Reads one version as a careful consumer does, past every proxy. Undefined while nothing is published. */
  read(): Promise<Published | undefined>;
}

export interface Fleet extends AsyncDisposable {
  readonly folder: string;
  readonly database: string;
  readonly policies: readonly FleetPolicy[];
}

/** Policies over one database, their logins, and the configuration with which workers rotate them all the time. */
export async function openFleet(parts: {
  readonly target: ServerAddress;
  /** Where workers find the target. */
  readonly targetPort: number;
  readonly stateUrl: string;
  readonly redisUrl: string | undefined;
  readonly aws: { readonly direct: string; readonly throughProxy: string } | undefined;
  readonly size: { readonly files: number; readonly aws: number };
}): Promise<Fleet> {
  const { target, aws } = parts;
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-fleet-'));
  const database = uniqueName('fleet');
  const client = aws && new SecretsManagerClient({ region: 'eu-central-1', endpoint: aws.direct });
  const policies: FleetPolicy[] = [];
  const yaml: string[] = [];
  const add = (name: string, store: string, read: FleetPolicy['read']) => {
    const logins = [`${name}_a`, `${name}_b`] as const;
    // One of each store.
    const mayLeak = !yaml.some((one) => one.includes(`store: ${store},`));
    policies.push({ name, logins, mayLeak, read });
    yaml.push(`  ${name}:
    connection: target
    logins: ${JSON.stringify(logins)}
    schedule: { every: ${INTERVAL_S}s, jitter: ${INTERVAL_S}s }
    drain: { grace: ${GRACE_MS / 1_000}s, timeout: ${TIMEOUT_MS / 1_000}s }
    publish: [{ store: ${store}, create: true, secrets: { username: ${name}/username, password: ${name}/password } }]
`);
  };
  for (let index = 0; index < parts.size.files; index += 1) {
    const name = uniqueName('file').replace('_', '-');
    add(name, 'files', () => readFiles(join(folder, 'secrets', name)));
  }
  for (let index = 0; client && index < parts.size.aws; index += 1) {
    const name = uniqueName('aws').replace('_', '-');
    add(name, 'aws', () => readAws(client, name));
  }

  {
    await using admin = await adminOf(target);
    await admin.client.query(`CREATE DATABASE ${database}`);
    for (const login of policies.flatMap(({ logins }) => logins)) {
      await admin.client.query(`CREATE ROLE ${quoteIdentifier(login)} NOLOGIN`);
    }
  }
  await mkdir(join(folder, 'config'));
  const connection = {
    host: '127.0.0.1',
    port: parts.targetPort,
    database,
    user: target.user,
    password: target.password,
  };
  await writeFile(
    join(folder, 'config', 'keyturn.yaml'),
    `state: { database: ${JSON.stringify(parts.stateUrl)} }
${parts.redisUrl ? `queue: { redis: ${JSON.stringify(parts.redisUrl)} }\n` : ''}connections: { target: ${JSON.stringify(connection)} }
stores:
  files: { type: file, path: secrets }
${aws ? `  aws: { type: aws-secrets-manager, region: eu-central-1, endpoint: ${JSON.stringify(aws.throughProxy)} }\n` : ''}policies:
${yaml.join('')}`,
  );
  return {
    folder,
    database,
    policies,
    async [Symbol.asyncDispose]() {
      client?.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function readFiles(folder: string): Promise<Published | undefined> {
  // A version may be replaced twice, and go, while it is read: then the link leads to another by now.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      const version = await realpath(join(folder, '..data'));
      const [user, password] = await Promise.all(
        ['username', 'password'].map((name) => readFile(join(version, name), 'utf8')),
      );
      // The rotation's id, as in the ledger.
      const token = basename(version).replace('..version-', '');
      return { version: token, user: String(user), password: String(password) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return undefined;
}

async function readAws(client: SecretsManagerClient, name: string): Promise<Published | undefined> {
  const get = (secret: string, which: { VersionStage: string } | { VersionId: string }) =>
    client.send(new GetSecretValueCommand({ SecretId: `${name}/${secret}`, ...which }));
  try {
    const user = await get('username', { VersionStage: 'AWSCURRENT' });
    const version = String(user.VersionId);
    const password = await get('password', { VersionId: version });
    // The placeholder of a secret that has no version yet.
    if (version === '00000000-0000-4000-8000-000000000000') return undefined;
    return { version, user: String(user.SecretString), password: String(password.SecretString) };
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
