import type { Command } from 'commander';
import type { App } from '../../../app.ts';
import { shownName } from '../../../config/checks/credential-like.ts';
import type { Connection } from '../../../config/config.ts';
import { rotatorPolicyOf } from '../../../config/rotator-policy-of.ts';
import { fact } from '../../../facts/fact.ts';
import { fault } from '../../../facts/fault.ts';
import { tell } from '../../../messages/tell.ts';
import { scramVerifier } from '../../../postgres/logins/scram-verifier.ts';
import { rotatorScript } from '../../../postgres/roles/rotator-script.ts';
import { PLATFORM_NAMES, platformOf } from '../../../roles/platform.ts';
import type { Io } from '../../io.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';
import { schemaOption } from './access-options.ts';
import { writeScript } from './write-sql.ts';

interface Options extends ConfigOption {
  readonly schema?: string[];
  readonly create: boolean;
  readonly platform?: string;
}

export function registerRotator(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--sql', 'print SQL, which is the only format', true)
    .addOption(schemaOption('a schema in which roles create grants; may be repeated; default: public'))
    .option('--no-create', 'leave out the rights that only roles create and roles repair need')
    .option('--platform <name>', `the service that runs PostgreSQL: ${PLATFORM_NAMES.join(', ')}`)
    .action((name: string | undefined, options: Options) =>
      withApp(io, options, async (app) => {
        writeRotator(io, app, chooseConnection(app, name), options);
      }),
    );
}

/** Exactly one, because each script is for one database. */
function chooseConnection(app: App, name: string | undefined): Connection {
  const { connections } = app.config;
  if (name !== undefined && !connections.has(name)) {
    const names = [...connections.keys()];
    throw fault('rotator-connection-unknown', { connection: shownName(name), connections: names });
  }
  const chosen = [...connections.values()].filter(
    (connection) => name === undefined || connection.name === name,
  );
  const remote = chosen.flatMap((connection) => ('embedded' in connection ? [] : [connection]));
  const [connection, ...others] = remote;
  if (!connection) throw fault('rotator-not-needed', {});
  if (others.length > 0) {
    throw fault('rotator-connection-ambiguous', { connections: remote.map((each) => each.name) });
  }
  return connection;
}

function writeRotator(io: Io, app: App, connection: Connection, { schema, create, platform }: Options): void {
  const managed = platform === undefined ? undefined : platformOf(platform);
  const policies = [...app.config.policies.values()]
    .filter((policy) => policy.type === 'logins')
    .filter((policy) => policy.connection === connection.name);
  const roles = policies.flatMap(({ logins, owner }) => [
    ...logins,
    ...(owner !== undefined && create ? [owner] : []),
  ]);
  const { name, user, database, password } = connection;
  const verifier = verifierOf(password);
  if (password !== undefined && verifier === undefined) {
    io.stderr.write(`keyturn: ${tell(fact('rotator-password-not-ascii', { connection: name }))}\n`);
  }
  const own = rotatorPolicyOf(connection, app.config);
  if (own && verifier !== undefined) {
    io.stderr.write(`keyturn: ${tell(fact('rotator-password-rotated', { policy: own.name, user }))}\n`);
  }
  const parts = rotatorScript({
    rotator: user,
    database,
    ...(verifier === undefined ? {} : { verifier }),
    roles: [...new Set(roles)],
    schemas: schema ?? ['public'],
    mayCreate: create,
    ...(managed ? { managed } : {}),
  });
  writeScript(
    io,
    tell(fact('rotator-script', { connection: name, database, platform: managed?.name ?? null })),
    parts.map(({ part, sql }) => ({ comment: tell(fact('rotator-script-part', { part })), sql })),
  );
}

function verifierOf(password: string | undefined): string | undefined {
  if (password === undefined) return undefined;
  try {
    return scramVerifier(password);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
