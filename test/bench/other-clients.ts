import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { PASSWORD, type Place } from './place.ts';

const OTHER = 'bench_other';
/** They connect, hold the connection, and ask something now and then. */
const STAYING = 12;
/** They connect, query and disconnect all the time. */
const COMING = 6;
const PAUSE_MS = 20;

/** What clients of others have seen of a server. */
export interface Others {
  readonly connected: number;
  /** By SQLSTATE or system error, how often they did not get in or were cut off. */
  readonly refusals: ReadonlyMap<string, number>;
}

/** The work of others on the target's server, until it is stopped. */
export async function startOthers({ admin, target, workspace }: Place): Promise<{ stop(): Promise<Others> }> {
  await admin.query(`CREATE ROLE ${OTHER} LOGIN PASSWORD '${PASSWORD}'`);
  const { host, port } = target;
  const seen = { connected: 0, refusals: new Map<string, number>() };
  const work = { isOver: false };
  const visit = async (stays: boolean) => {
    const client = new pg.Client({ host, port, database: workspace.target, user: OTHER, password: PASSWORD });
    client.on('error', () => {});
    try {
      await client.connect();
      seen.connected += 1;
      do {
        await client.query('SELECT 1');
        await sleep(stays ? 1_000 : 0);
      } while (stays && !work.isOver);
    } catch (error) {
      const code = String((error as { code?: unknown }).code ?? 'unknown');
      seen.refusals.set(code, (seen.refusals.get(code) ?? 0) + 1);
    } finally {
      await client.end().catch(() => {});
    }
  };
  const loop = async (stays: boolean) => {
    while (!work.isOver) {
      await visit(stays);
      await sleep(PAUSE_MS);
    }
  };
  const loops = [
    ...Array.from({ length: STAYING }, () => loop(true)),
    ...Array.from({ length: COMING }, () => loop(false)),
  ];
  return {
    async stop() {
      work.isOver = true;
      await Promise.all(loops);
      return seen;
    },
  };
}

export const OTHERS = `${STAYING} clients that stay and ${COMING} that connect, query and disconnect all the time`;
