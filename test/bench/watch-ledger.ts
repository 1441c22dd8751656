import pg from 'pg';
import { within } from './measure.ts';
import type { Place } from './place.ts';

const PATIENCE_S = 60;

/**
 * Hears from a trigger when a rotation is published and when it is over, at the commit. For one
 * rotation at a time: NOTIFY has commits wait for each other.
 */
export interface LedgerWatch extends AsyncDisposable {
  /** Resolve at that instant, with `performance.now()`. */
  published(rotation: string): Promise<number>;
  over(rotation: string): Promise<number>;
}

const TRIGGER = `
  CREATE SCHEMA IF NOT EXISTS bench;
  CREATE FUNCTION bench.tell() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF NEW.published_at IS NOT NULL AND OLD.published_at IS NULL THEN
      PERFORM pg_catalog.pg_notify('bench', 'published ' || NEW.id);
    END IF;
    IF NEW.status <> 'open' AND OLD.status = 'open' THEN
      PERFORM pg_catalog.pg_notify('bench', NEW.status || ' ' || NEW.id);
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER bench_tell AFTER UPDATE ON keyturn.rotation FOR EACH ROW EXECUTE FUNCTION bench.tell()`;

export async function watchLedger({ workspace, state }: Place): Promise<LedgerWatch> {
  await state.query(TRIGGER);
  const client = new pg.Client(workspace.stateUrl);
  client.on('error', () => {});
  await client.connect();
  await client.query('LISTEN bench');
  const heard = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  client.on('notification', ({ payload = '' }) => {
    const at = performance.now();
    heard.set(payload, at);
    waiting.get(payload)?.(at);
  });
  const hear = (text: string) =>
    within(
      PATIENCE_S,
      text,
      new Promise<number>((resolve) => {
        const at = heard.get(text);
        if (at === undefined) waiting.set(text, resolve);
        else resolve(at);
      }),
    );
  return {
    published: (rotation) => hear(`published ${rotation}`),
    over: (rotation) => hear(`done ${rotation}`),
    async [Symbol.asyncDispose]() {
      await client.end();
      await state.query('DROP FUNCTION bench.tell() CASCADE');
    },
  };
}
