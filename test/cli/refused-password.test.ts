import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { keyturn } from '../support/keyturn.ts';
import { uniqueName } from '../support/unique-name.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';
import { openWorkspace, type Workspace } from '../support/workspace.ts';

const endpoint = inject('aws');

/**
 * A way to AWS Secrets Manager that gives the first password staged there back as another one each time, but for the
 * first: `stage` reads back what it wrote.
 */
async function startMangler(target: string): Promise<{ readonly url: string; readonly server: Server }> {
  let mangled: string | undefined;
  let reads = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host, connection, 'content-length': length, ...headers } = request.headers;
    const answer = await fetch(target, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: Buffer.concat(chunks),
    });
    const body = JSON.parse(await answer.text());
    if (body.SecretString && body.Name?.endsWith('/password') && body.VersionStages?.includes('AWSPENDING')) {
      mangled ??= body.VersionId;
      if (body.VersionId === mangled && reads++ > 0) body.SecretString = `mangled-${reads}`;
    }
    response
      .writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' })
      .end(JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.skipIf(endpoint === undefined)('a rotation whose password is refused twice', () => {
  let workspace: Workspace;
  let server: Server;
  let worker: WorkerProcess | undefined;
  beforeEach(async () => {
    workspace = await openWorkspace(inject('postgres'));
    const mangler = await startMangler(String(endpoint));
    server = mangler.server;
    const folder = uniqueName('prod');
    await workspace.configure(`stores:
  aws: { type: aws-secrets-manager, region: eu-central-1, endpoint: "${mangler.url}" }
policies:
  app:
    connection: db
    logins: ${JSON.stringify(workspace.logins)}
    drain: { grace: 0s, timeout: 5s }
    publish:
      - store: aws
        create: true
        secrets: { username: ${folder}/username, password: ${folder}/password }
`);
  });
  afterEach(async () => {
    await worker?.stop();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await workspace[Symbol.asyncDispose]();
  });
  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });

  test.each([
    ['by the command itself', '--inline'],
    ['by the worker', '--wait'],
  ])(
    'is followed at once, %s, by the one in its place, which is what is reported (G5)',
    async (_who, flag) => {
      // The sweep would find it, too, but only much later.
      worker = flag === '--wait' ? await startWorkerProcess(workspace.folder, 3_600_000) : undefined;
      const { code, stdout, stderr } = await run('rotate', 'app', flag, '--json');
      const reports = JSON.parse(stdout);
      expect({ code, reports }).toMatchObject({
        code: 0,
        reports: [
          {
            status: 'done',
            incoming: workspace.logins[0],
            replaces: expect.stringMatching(/^[0-9a-f-]{36}$/),
          },
        ],
      });
      expect(reports).toHaveLength(1);
      expect(stderr).toContain('verify failed: PostgreSQL refuses the password that');
      const history = JSON.parse((await run('history', '--json')).stdout);
      expect(history).toMatchObject([
        { status: 'done', replaces: history[1].rotation },
        {
          status: 'failed',
          error: expect.stringContaining('PostgreSQL refuses the password that'),
          replaces: null,
        },
      ]);
      expect((await run('history')).stdout).toContain(`in place of ${history[1].rotation}`);
      expect(JSON.stringify(history) + stderr).not.toContain('mangled-');
    },
  );
});
