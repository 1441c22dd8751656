import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { MAIN } from '../../support/cli.ts';
import { keyturn } from '../../support/keyturn.ts';
import { filePolicy, openWorkspace } from '../../support/workspace.ts';

const PG = resolve(import.meta.dirname, '../../../node_modules/pg/lib/index.js');

/**
 * A server that asks the database for each request, listens on the socket that it gets as its standard input, and at
 * SIGTERM takes no new connection, answers what has begun, and ends.
 */
const SERVER = `
  const { createServer } = require('node:http');
  const pg = require(${JSON.stringify(PG)});
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
  const server = createServer(async (request, response) => {
    try {
      const { rows } = await pool.query('SELECT session_user AS login, pg_catalog.pg_sleep(0.02)');
      response.end(rows[0].login);
    } catch (error) {
      response.writeHead(500).end(error.message);
    }
  });
  server.listen({ fd: 0 }, () => console.error('up;'));
  process.on('SIGTERM', () => server.close(() => pool.end().then(() => process.exit(0))));`;

/** A listening socket, whose queue holds connections as long as any process has it open. */
async function listen(): Promise<{ server: Server; port: number; fd: number }> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  // Node.js gives no other way to the descriptor.
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
  return { server, port: typeof address === 'object' && address ? address.port : 0, fd };
}

/** One request on a connection of its own, so that none is sent on one that the server is about to close. */
function ask(port: number): Promise<string> {
  return new Promise((answered, failed) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => answered(response.statusCode === 200 ? text : `failed: ${text}`));
      response.on('error', failed);
    }).on('error', failed);
  });
}

test('a server under load is restarted with each new login, and no request fails (G2)', async () => {
  await using workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins).replace('timeout: 5s', 'timeout: 60s'));
  const rotate = () => keyturn(['rotate', 'app', '--inline'], { cwd: workspace.folder });
  expect(await rotate()).toMatchObject({ code: 0 });
  await writeFile(join(workspace.folder, 'server.cjs'), SERVER);

  const { server, port, fd } = await listen();
  const options = ['--every', '1s', '--settle', '0s', '--env', 'DATABASE_URL={url}'];
  const child = spawn(
    process.execPath,
    [MAIN, 'exec', 'app', ...options, '--', process.execPath, 'server.cjs'],
    { cwd: workspace.folder, stdio: [fd, 'ignore', 'pipe'] },
  );
  const exited = new Promise<number | null>((ended) => child.once('exit', ended));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  // keyturn has the socket now, and passes it to each server that it starts.
  await expect.poll(() => said).toContain('up;');
  server.close();

  const answers: string[] = [];
  const ended = new AbortController();
  const clients = Array.from({ length: 4 }, async () => {
    while (!ended.signal.aborted) answers.push(await ask(port).catch((error) => `failed: ${error.message}`));
  });
  const logins: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    // It ends when the old login has no session left, because the server with it has ended.
    expect(await rotate()).toMatchObject({ code: 0 });
    const { user } = await workspace.published();
    logins.push(user);
    const before = answers.length;
    await expect.poll(() => answers.slice(before)).toContain(user);
  }
  await sleep(500);
  ended.abort();
  await Promise.all(clients);
  expect(answers.filter((answer) => answer.startsWith('failed'))).toEqual([]);
  expect(new Set(answers)).toEqual(new Set(logins));
  expect(answers.length).toBeGreaterThan(20);
  expect(said.split('restarting the program')).toHaveLength(3);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
});
