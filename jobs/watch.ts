import pMap from 'p-map';
import type { Logger } from 'pino';
import type { Policy } from '../src/config/policy.ts';
import { fact } from '../src/facts/fact.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import { logFact } from '../src/messages/log-fact.ts';
import type { Session } from '../src/postgres/connection/connect.ts';
import { lookAtLogins, type SeenLogin, type SeenServer } from '../src/postgres/logins/look-at-logins.ts';

/** How many servers are looked at side by side. */
const PARALLEL = { concurrency: 4 };
/** From this share of its CONNECTION LIMIT on a login is nearly full. */
const NEARLY_FULL = 0.9;

export interface WatchParts {
  readonly ledger: Ledger;
  readonly log: Logger;
  /** A session of the rotator of a connection. */
  readonly openRotator: (connection: string) => Promise<Session>;
}

/** A connection that leads to another server than before. */
export interface Moved {
  readonly connection: string;
  readonly server: string;
  readonly policies: readonly Policy[];
}

/** A policy and the login that it publishes. */
interface Watched {
  readonly policy: Policy;
  readonly login: string;
}

/**
 * Looks at servers once a minute, each with one query for all its policies. What looks wrong there
 * is probed at once: only a probe decides whether a credential works. Where a connection leads to
 * another server than before, all its policies are.
 */
export class ServerWatch {
  readonly #parts: WatchParts;
  /** Policies whose login is nearly full, so that the log says it once. */
  readonly #full = new Set<string>();

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** Looks at what is due of these connections. Returns those that lead to another server. */
  async look(connections: ReadonlyMap<string, readonly Policy[]>): Promise<readonly Moved[]> {
    if (connections.size === 0) return [];
    const due = await this.#parts.ledger.servers.claim([...connections.keys()]);
    const found = await pMap(
      due,
      // What keeps a server from being asked is told by probes and rotations.
      (name) => this.#lookAt(name, connections.get(name) ?? []).catch(() => undefined),
      PARALLEL,
    );
    return found.filter((each) => each !== undefined);
  }

  async #lookAt(connection: string, policies: readonly Policy[]): Promise<Moved | undefined> {
    const { ledger, openRotator } = this.#parts;
    const watched = await publishedBy(policies, ledger);
    const { server, logins } = await lookThrough(await openRotator(connection), watched);
    const seen = new Map(logins.map((login) => [login.login, login]));
    for (const { policy, login } of watched) this.#tellIfFull(policy, seen.get(login));
    const known = await ledger.servers.known(connection);
    const isMoved = known !== undefined && known !== server;
    const shut = watched.filter(({ login }) => seen.get(login)?.isShut).map(({ policy }) => policy);
    const suspects = isMoved ? policies : shut;
    await ledger.probes.hurry(suspects.map(({ name }) => name));
    return known === server ? undefined : { connection, server, policies: isMoved ? policies : [] };
  }

  #tellIfFull({ name }: Policy, login: SeenLogin | undefined): void {
    const limit = login?.limit ?? 0;
    if (!login || limit === 0 || login.sessions < limit * NEARLY_FULL) {
      this.#full.delete(name);
      return;
    }
    if (this.#full.has(name)) return;
    this.#full.add(name);
    const params = { login: login.login, sessions: login.sessions, limit };
    logFact(this.#parts.log, 'warn', fact('connection-limit-near', params), { policy: name });
  }
}

async function publishedBy(policies: readonly Policy[], ledger: Ledger): Promise<readonly Watched[]> {
  const published = await ledger.publishedLogins(policies.map(({ name }) => name));
  return policies.flatMap((policy) => {
    const login = published.get(policy.name);
    return login !== undefined && policy.logins.includes(login) ? [{ policy, login }] : [];
  });
}

async function lookThrough(opened: Session, watched: readonly Watched[]): Promise<SeenServer> {
  await using session = opened;
  const owner = (policy: Policy) => (policy.type === 'logins' ? (policy.owner ?? null) : null);
  return await lookAtLogins(
    session.client,
    watched.map(({ policy, login }) => ({ login, owner: owner(policy) })),
  );
}
