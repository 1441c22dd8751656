import pg, { type PoolConfig } from 'pg';
import type { Credentials } from './credentials.ts';
import { type ClientClass, type RotatingClient, rotatingClient } from './rotating-client.ts';

export interface RotatingPoolOptions {
  /** The class to extend. Default: that of the `pg` which keyturn finds. */
  readonly Pool?: typeof pg.Pool;
}

/** The parts of pg's Pool that its types leave out. */
interface Internals {
  Client: ClientClass;
  readonly _idle: readonly { readonly client: RotatingClient }[];
  _remove(client: pg.Client, callback: () => void): void;
  _pulseQueue(): void;
}

/**
 * A pg.Pool whose connections follow rotations. New ones log in with the credential that is
 * published then. When it changes, idle ones with the old login are closed; busy ones finish, and
 * are closed when they are released. An error of an idle connection does not end the process: the
 * pool has a listener for `error`, beside those of the application. `end` leaves the credentials
 * open, because other pools may share them.
 */
export function createRotatingPool(
  credentials: Credentials,
  options: PoolConfig = {},
  { Pool = pg.Pool }: RotatingPoolOptions = {},
): pg.Pool {
  class RotatingPool extends Pool {
    readonly #unsubscribe: () => void;

    constructor() {
      super(options);
      const internals = internalsOf(this);
      internals.Client = rotatingClient(credentials, { Client: internals.Client });
      this.#unsubscribe = credentials.onChange(() => closeOutdated(internals));
      this.on('error', () => {});
    }

    override end(): Promise<void>;
    override end(callback: () => void): void;
    override end(callback?: () => void): Promise<void> | void {
      this.#unsubscribe();
      return callback ? super.end(callback) : super.end();
    }
  }
  return new RotatingPool();
}

function internalsOf(pool: pg.Pool): Internals {
  return pool as unknown as Internals;
}

/** As pg-pool closes a client that was idle for too long. */
function closeOutdated(pool: Internals): void {
  for (const { client } of [...pool._idle]) {
    if (client.isOutdated) pool._remove(client, () => pool._pulseQueue());
  }
}
