import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { expect } from 'vitest';
import { type App, openApp } from '../../src/app.ts';
import type { Clock } from '../../src/clock.ts';
import { diagnose } from '../../src/doctor/diagnose.ts';
import { remedyLines } from '../../src/messages/tell.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import type { Finding } from '../../src/rotation/findings/finding.ts';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import type { ServerAddress } from '../support/scenario.ts';
import { uniqueName } from '../support/unique-name.ts';
import { openWorkspace, type Workspace } from '../support/workspace.ts';

/**
 * A policy `app` in good health, with a rotator that has just the rights it needs, and a worker;
 * for tests to break.
 */
export interface Patient extends AsyncDisposable {
  readonly app: App;
  readonly workspace: Workspace;
  readonly rotator: string;
  readonly owner: string;
  /** A superuser's session in the target database. */
  readonly admin: pg.Client;
  /** What doctor finds, but for what is in order. */
  examine(parts?: { readonly clock?: Clock }): Promise<Finding[]>;
  /** Takes over another configuration of the policy. */
  configure(change: (yaml: string) => string): Promise<void>;
  /** Does what a finding says mends it, word for word, as a superuser and as who runs keyturn. */
  apply(finding: Finding): Promise<void>;
  active(): Promise<string>;
  standby(): Promise<string>;
}

export async function openPatient(server: ServerAddress): Promise<Patient> {
  const workspace = await openWorkspace(server);
  const session = await adminOf(server, workspace.target);
  const { client: admin } = session;
  const [rotator, owner] = [uniqueName('rotator'), uniqueName('owner')];
  await admin.query(`CREATE ROLE ${rotator} LOGIN CREATEROLE PASSWORD 'rotator'; CREATE ROLE ${owner}`);
  await admin.query(`GRANT pg_read_all_stats, pg_signal_backend TO ${rotator}`);
  const { rows } = await admin.query("SELECT current_setting('server_version_num')::int >= 160000 AS admin");
  for (const login of workspace.logins.map(quoteIdentifier)) {
    await admin.query(`GRANT ${owner} TO ${login}; ALTER ROLE ${login} SET role = ${owner}`);
    await admin.query(`ALTER ROLE ${login} CONNECTION LIMIT 50`);
    if (!rows[0].admin) continue;
    await admin.query(`GRANT ${login} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
  }
  await admin.query(`REVOKE CONNECT ON DATABASE ${quoteIdentifier(workspace.state)} FROM PUBLIC`);
  const configure = (change: (yaml: string) => string) =>
    workspace.configure(change(policyOf(workspace, owner)), {
      connection: { user: rotator, password: 'rotator' },
    });
  await configure((yaml) => yaml);
  const app = await openApp({
    configPath: 'config',
    cwd: workspace.folder,
    env: { KEYTURN_LOG_LEVEL: 'silent' },
  });
  const ledger = await app.ledger();
  const worker = await app.work();
  await settled();

  async function settled(): Promise<void> {
    while ((await ledger.open()).length > 0) await sleep(20);
  }
  async function active(): Promise<string> {
    return (await workspace.published()).user;
  }
  /**
   * Does what one printed line says; false where that is nothing that could be done as it stands.
   */
  async function follow(line: string): Promise<boolean> {
    const [, number, file = '', good = '', bad = ''] =
      /in line (\d+) of (\S+) put (\S+) in the place of (\w+)/.exec(line) ?? [];
    if (number !== undefined) {
      const lines = (await readFile(file, 'utf8')).split('\n');
      lines[Number(number) - 1] = String(lines[Number(number) - 1]).replace(bad, good);
      await writeFile(file, lines.join('\n'));
    }
    const [, command] = /^run: keyturn (.*)$/.exec(line) ?? [];
    // In one message, as `psql -c` sends it.
    const [, sql] = /(?:run|run in each of these databases): (.*)$/.exec(line) ?? [];
    if (sql !== undefined && command === undefined) await admin.query(sql);
    if (command !== undefined) {
      // Nobody is here to be asked.
      const args = [...command.split(' '), ...(/^restore|--adopt/.test(command) ? ['--yes'] : [])];
      expect(await keyturn(args, { cwd: workspace.folder })).toMatchObject({ code: 0 });
      await settled();
    }
    return [number, sql, command].some((part) => part !== undefined);
  }
  return {
    app,
    workspace,
    rotator,
    owner,
    admin,
    async configure(change) {
      await configure(change);
      await worker.reload();
    },
    async examine(changes = {}) {
      const { clock, config, ledger, queue, connection, destinations } = app;
      const parts = { clock, stores: config.stores, ledger, queue, connection, destinations, ...changes };
      const diagnoses = await diagnose(parts, [...config.policies.values()]);
      return diagnoses.flatMap(({ findings }) => findings).filter(({ level }) => level !== 'ok');
    },
    async apply(finding) {
      const done: unknown[] = [];
      const lines = remedyLines(finding.fact);
      for (const line of lines) done.push(await follow(line));
      expect(done, `something to do in: ${remedyLines(finding.fact)}`).toContain(true);
    },
    active,
    async standby() {
      const published = await active();
      return workspace.logins.find((login) => login !== published) ?? '';
    },
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await admin.query(`DROP OWNED BY ${rotator}, ${owner} CASCADE`);
      await session[Symbol.asyncDispose]();
      await workspace[Symbol.asyncDispose]();
      await using last = await adminOf(server);
      await last.client.query(`DROP ROLE ${rotator}, ${owner}`);
    },
  };
}

function policyOf({ logins }: Workspace, owner: string): string {
  return `stores: { files: { type: file, path: secrets } }
policies:
  app:
    connection: db
    logins: ${JSON.stringify(logins)}
    owner: ${owner}
    schedule: { every: 30d }
    drain: { grace: 1s, timeout: 30s }
    publish:
      - { store: files, create: true, secrets: { username: app/username, password: app/password } }
`;
}
