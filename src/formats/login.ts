import type { Inexpressible } from '../facts/inexpressible.ts';

/** A login with where it logs in, as consumers are told. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly host: string;
  /** The address to connect to, where `host` is only the name that the certificate is for. */
  readonly hostaddr?: string;
  readonly port: number;
  readonly database: string;
  readonly sslmode: string;
  /** A path of the consumer's machine, or `system`. Left out: libpq's default. */
  readonly sslrootcert?: string;
  /** The name of the section in a service file. */
  readonly service: string;
  /** The SCRAM verifier that PostgreSQL has of the password. */
  readonly verifier: string;
  /** Whether a userlist has the password itself. */
  readonly plain: boolean;
  /** The line of a userlist for the login before, which consumers may still use. */
  readonly before?: string;
}

/** What a written login says. A userlist has a verifier in place of the password. */
export interface Told {
  readonly username: string;
  readonly password?: string;
  readonly verifier?: string;
}

/** One way to write a login down for programs. */
export interface Format {
  /** The first thing of a login that cannot be written so that each reader reads the same. */
  refuse(login: Login): Inexpressible | undefined;
  /** Writes what `refuse` lets pass. */
  write(login: Login): string;
  /** Undefined where it cannot be read, for instance because somebody wrote it by hand. */
  read(text: string): Told | undefined;
}
