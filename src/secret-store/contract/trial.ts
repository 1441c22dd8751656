import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Mapping } from '../../config/policy.ts';
import type { FactCode } from '../../facts/fact.ts';
import { Fault } from '../../facts/fault.ts';
import type { Fields, SecretStore, Stage, Version } from '../secret-store.ts';

/** What the test of an adapter gives the contract: a store, and the outside's ways around it. */
export interface StoreUnderTest {
  readonly store: SecretStore;
  /** Secret names of this case's own: all in one unit that the store swaps as closely as it can. */
  name(suffix: string): string;
  /** Such a name, in a unit of its own. */
  apart(suffix: string): string;
  /** Makes a secret by hand, as a user would. */
  make(secret: string, content: string): Promise<void>;
  /** Whether each secret of the store is a map of keys, so that a mapping by key always fits. */
  readonly keyed?: boolean;
  /** What a naive reader of the secret's current value gets; undefined when it does not exist. */
  current(secret: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Cases by their titles. */
export type Part = Readonly<Record<string, (trial: Trial) => Promise<void>>>;

export const CREATE = { create: true } as const;

/** The fields of a login that no other number has. */
export function login(number: number): Fields {
  return { username: `user-${number}`, password: `p'"\\\n${number} é` };
}

/** One case's store, its mappings, and what is asked for again and again. */
export class Trial {
  readonly under: StoreUnderTest;
  readonly store: SecretStore;

  constructor(under: StoreUnderTest) {
    this.under = under;
    this.store = under.store;
  }

  pair(): Mapping {
    return {
      username: { secret: this.under.name('username') },
      password: { secret: this.under.name('password') },
    };
  }

  /** Two secrets that do not change at one instant, however the store swaps. */
  apart(): Mapping {
    return {
      username: { secret: this.under.apart('username') },
      password: { secret: this.under.apart('password') },
    };
  }

  json(): Mapping {
    const secret = this.under.name('login.json');
    return { username: { secret, key: 'username' }, password: { secret, key: 'password' } };
  }

  mixed(): Mapping {
    return { ...this.pair(), password: { secret: this.under.name('login.json'), key: 'password' } };
  }

  async publish(mapping: Mapping, fields: Fields): Promise<string> {
    const token = randomUUID();
    await this.store.stage(mapping, token, fields, CREATE);
    await this.store.promote(mapping, token);
    return token;
  }

  async has(mapping: Mapping, stage: Stage, expected: Version | undefined): Promise<void> {
    assert.deepEqual(await this.store.read(mapping, stage), expected);
  }

  /** That nobody made a secret of the mapping. */
  async madeNothing(mapping: Mapping): Promise<void> {
    for (const { secret } of Object.values(mapping)) {
      assert.equal(await this.under.current(secret), undefined);
    }
  }
}

/** Expects a Fault with one of these codes, and gives it. */
export async function refused(promise: Promise<unknown>, ...codes: readonly FactCode[]): Promise<Fault> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof Fault, `expected ${codes.join(' or ')}, got ${String(thrown)}`);
  assert.ok(codes.includes(thrown.fact.code), `expected ${codes.join(' or ')}, got ${thrown.fact.code}`);
  return thrown;
}
