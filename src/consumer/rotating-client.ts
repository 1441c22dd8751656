import pg, { type ClientConfig } from 'pg';
import { type Credential, isSameLogin } from './credential.ts';
import type { Credentials } from './credentials.ts';
import { type Callback, logIn } from './log-in.ts';

/** The class `Client` of pg, or one that extends it. */
export type ClientClass = new (config?: string | ClientConfig) => pg.Client;

export interface RotatingClient extends pg.Client {
  /** Whether it is logged in with a credential that is no longer the published one. */
  readonly isOutdated: boolean;
}

export interface RotatingClientOptions {
  /** The class to extend. Default: that of the `pg` which keyturn finds. */
  readonly Client?: ClientClass;
}

/**
 * A class for `new pg.Pool({ Client })`, and for whatever else makes clients of pg. Each connection
 * logs in with the credential that is published then; `user` and `password` of the options are
 * ignored. If the server refuses it, the source is read again once, and the connection is tried
 * once more: a query never is. A pool closes a client that is outdated when it is released.
 */
export function rotatingClient(
  credentials: Credentials,
  { Client = pg.Client }: RotatingClientOptions = {},
): new (
  config?: string | ClientConfig,
) => RotatingClient {
  // Long because the class closes over what it is made for.
  return class RotatingPgClient extends Client implements RotatingClient {
    readonly #config: string | ClientConfig | undefined;
    #login: Credential | undefined;
    #uses = 0;

    constructor(config?: string | ClientConfig) {
      super(config);
      this.#config = config;
    }

    get isOutdated(): boolean {
      const { cached } = credentials;
      return this.#login !== undefined && cached !== undefined && !isSameLogin(this.#login, cached);
    }

    /** pg-pool closes a released client that was used `maxUses` times; its default is Infinity. */
    get _poolUseCount(): number {
      return this.isOutdated ? Number.POSITIVE_INFINITY : this.#uses;
    }

    set _poolUseCount(uses: number) {
      this.#uses = uses;
    }

    override connect(): Promise<this>;
    override connect(callback: Callback): void;
    override connect(callback?: Callback): Promise<this> | undefined {
      if (callback === undefined) {
        return new Promise((resolve, reject) => {
          this.connect((error) => (error ? reject(error) : resolve(this)));
        });
      }
      const connect = (connected: Callback) => super.connect(connected);
      const another = () => new Client(this.#config);
      const onTry = (credential: Credential) => {
        this.#login = credential;
      };
      logIn({ client: this, credentials, connect, another, onTry }, callback);
      return undefined;
    }
  };
}
