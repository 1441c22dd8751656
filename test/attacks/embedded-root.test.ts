import { execFile, spawn } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { tellError } from '../../src/messages/tell.ts';
import { findBinaries } from '../../src/postgres/embedded/binaries.ts';
import { openEmbedded } from '../../src/postgres/embedded/cluster.ts';
import { ensureStateDatabase } from '../../src/postgres/embedded/databases.ts';
import { appendTo } from '../../src/postgres/embedded/own-files.ts';
import { stopServer } from '../../src/postgres/embedded/server.ts';
import { findServerUser, type ServerUser } from '../../src/postgres/embedded/server-user.ts';
import { adminOf } from '../support/admin.ts';

// Root lends its PostgreSQL to another user. What that user can do to files must not become what
// root does.
describe.skipIf(process.getuid?.() !== 0)(
  'the embedded server of root, whose user plants things (as root)',
  () => {
    let base: string;
    let folder: string;
    let victim: string;
    let user: ServerUser;
    const cluster = (name = '') => join(folder, 'cluster', name);

    beforeAll(async () => {
      base = await mkdtemp(join(tmpdir(), 'keyturn-root-'));
      await chmod(base, 0o755);
      folder = join(base, '.keyturn', 'postgres');
      victim = join(base, 'victim');
      user = (await findServerUser()) as ServerUser;
      await (await openEmbedded({ folder })).close();
    });
    afterAll(async () => {
      await (await openEmbedded({ folder })).destroy();
      await rm(base, { recursive: true, force: true });
    });
    beforeEach(async () => {
      await rm(victim, { force: true });
      await writeFile(victim, 'precious', { mode: 0o600 });
    });

    /** What the server's user can do, as far as it can. */
    const asServerUser = (script: string, ...args: string[]) =>
      promisify(execFile)('/bin/sh', ['-c', script, 'sh', ...args], { ...user, cwd: '/' }).catch(() => {});

    async function expectUntouched(): Promise<void> {
      expect(await readFile(victim, 'utf8')).toBe('precious');
      const { uid, gid, mode } = await lstat(victim);
      expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 0, gid: 0, mode: 0o600 });
    }

    test.each(['postgresql.log', 'port', 'password'])(
      'a link in the place of %s has no file of root truncated, written or given away',
      async (name) => {
        await asServerUser('rm -f "$1" && ln -s "$2" "$1"', cluster(name), victim);
        await (await openEmbedded({ folder })).close();
        await expectUntouched();
      },
    );

    test.each(['postgresql.log', 'port'])(
      'a link in the place of %s in a folder that an older keyturn gave to that user changes nothing of root',
      async (name) => {
        await rm(cluster(name), { force: true });
        await symlink(victim, cluster(name));
        await chown(cluster(), user.uid, user.gid);
        await (await openEmbedded({ folder })).close();
        await expectUntouched();
        expect((await lstat(cluster())).uid).toBe(0);
        expect((await lstat(cluster(name))).isFile()).toBe(true);
      },
    );

    test.each(['postgresql.log', 'port'])(
      'a second name of a file of root in the place of %s changes nothing of it',
      async (name) => {
        await rm(cluster(name), { force: true });
        await link(victim, cluster(name));
        await (await openEmbedded({ folder })).close();
        await expectUntouched();
      },
    );

    test('a link in the place of the password is refused', async () => {
      const password = await readFile(cluster('password'), 'utf8');
      await rm(cluster('password'));
      await symlink(victim, cluster('password'));
      await expect(openEmbedded({ folder })).rejects.toMatchObject({
        fact: fact('embedded-file-expected', { path: cluster('password') }),
      });
      await expectUntouched();
      await rm(cluster('password'));
      await writeFile(cluster('password'), password, { mode: 0o600 });
    });

    test('a link in the place of the data directory is refused', async () => {
      const aside = `${cluster('data')}.aside`;
      await promisify(execFile)('mv', [cluster('data'), aside]);
      await symlink(base, cluster('data'));
      await expect(openEmbedded({ folder })).rejects.toMatchObject({
        fact: fact('embedded-folder-expected', { path: cluster('data') }),
      });
      await rm(cluster('data'));
      await promisify(execFile)('mv', [aside, cluster('data')]);
    });

    test('a link in the place of PG_VERSION shows nobody what it leads to', async () => {
      const file = join(cluster('data'), 'PG_VERSION');
      const version = await readFile(file, 'utf8');
      await asServerUser('rm -f "$1" && ln -s "$2" "$1"', file, victim);
      const error = await openEmbedded({ folder }).catch((thrown: Error) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(tellError(error)).not.toContain('precious');
      await asServerUser('rm -f "$1" && printf %s "$2" > "$1"', file, 'precious');
      await expect(openEmbedded({ folder })).rejects.toMatchObject({
        fact: { code: 'embedded-version-changed', params: { data: cluster('data'), found: null } },
      });
      await asServerUser('printf %s "$2" > "$1"', file, version);
    });

    test('postgresql.conf is not written through a link, nor where it is a second name', async () => {
      const conf = join(base, 'postgresql.conf');
      await symlink(victim, conf);
      await expect(appendTo(conf, user.uid, 'x')).rejects.toMatchObject({
        fact: fact('embedded-file-expected', { path: conf }),
      });
      await rm(conf);
      await link(victim, conf);
      await expect(appendTo(conf, user.uid, 'x')).rejects.toMatchObject({
        fact: fact('embedded-file-replaced', { path: conf }),
      });
      await rm(conf);
      await expectUntouched();
    });

    test('a pid file that names a process of root does not have it ended', async () => {
      const data = cluster('data');
      const sleeper = spawn('sleep', ['600'], { cwd: data, stdio: 'ignore' });
      const file = join(data, 'postmaster.pid');
      await asServerUser('printf "%s\\n%s\\n0\\n5999\\n" "$2" "$3" > "$1"', file, String(sleeper.pid), data);
      const server = { binaries: await findBinaries(), user, data, log: cluster('postgresql.log') };
      await expect(stopServer(server)).rejects.toMatchObject({
        fact: fact('embedded-process-foreign', { pid: Number(sleeper.pid) }),
      });
      expect(sleeper.exitCode ?? sleeper.signalCode).toBeNull();
      const ended = new Promise((done) => sleeper.once('exit', done));
      sleeper.kill();
      await ended;
      await rm(file, { force: true });
    });

    test.each([
      [
        'belongs to that user',
        () => chown(folder, user.uid, user.gid),
        () => fact('embedded-folder-of-another', { path: folder, uid: user.uid, owner: 0 }),
      ],
      [
        'may be written to by all',
        () => chmod(folder, 0o777),
        () => fact('embedded-folder-writable', { path: folder }),
      ],
    ])('a folder above it that %s is refused', async (_how, open, refusal) => {
      await open();
      await expect(openEmbedded({ folder })).rejects.toMatchObject({ fact: refusal() });
      await chown(folder, 0, 0);
      await chmod(folder, 0o755);
      await (await openEmbedded({ folder })).close();
    });
  },
);

describe('a login of an application on the embedded server', () => {
  test('gets into no database of keyturn, and so holds no lock there', async () => {
    const base = await mkdtemp(join(tmpdir(), 'keyturn-embedded-'));
    await chmod(base, 0o755);
    await mkdir(join(base, '.keyturn'));
    const embedded = await openEmbedded({ folder: join(base, '.keyturn', 'postgres') });
    try {
      const state = await ensureStateDatabase(embedded);
      await ensureStateDatabase(embedded);
      {
        await using admin = await adminOf(embedded);
        await admin.client.query(`CREATE ROLE app LOGIN PASSWORD 'app'`);
      }
      for (const database of ['postgres', state.database]) {
        const entering = adminOf({ ...embedded, user: 'app', password: 'app' }, database);
        await expect(entering).rejects.toMatchObject({ code: '42501' });
      }
      await using inside = await adminOf(embedded, state.database);
      const { rows } = await inside.client.query(
        `SELECT has_schema_privilege('public', 'public', 'CREATE') AS may`,
      );
      expect(rows).toEqual([{ may: false }]);
    } finally {
      await embedded.destroy();
      await rm(base, { recursive: true, force: true });
    }
  });
});
