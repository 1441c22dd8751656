import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { openScenario, type Scenario } from './scenario.ts';

/** Has every test of a file begin with a policy that publishes its first login, on a server of the file's own. */
export function withRotatedScenario(onOpened: (opened: Scenario) => void): void {
  let server: PostgresServer;
  let scenario: Scenario;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    scenario = await openScenario(server);
    await scenario.finish(await scenario.request());
    onOpened(scenario);
  });
  afterEach(() => scenario[Symbol.asyncDispose]());
}
