/** Methods of AuthenticationRequest, with where each comes from and what ends it. */
const METHODS = {
  cleartext: {
    asks: 'the password in clear text',
    remedy:
      'pg_hba.conf there says password, ldap, pam or radius; let it demand scram-sha-256 from this address',
  },
  md5: {
    asks: 'an MD5 hash of the password',
    remedy:
      "let pg_hba.conf demand scram-sha-256 from this address; if only an MD5 hash of the password is stored, SET password_encryption = 'scram-sha-256' there and set the same password again",
  },
  gssapi: {
    asks: 'GSSAPI or SSPI',
    remedy: 'let pg_hba.conf demand scram-sha-256 from this address, before its line with gss or sspi',
  },
  sasl: {
    asks: 'a SASL mechanism other than SCRAM-SHA-256',
    remedy: 'let pg_hba.conf demand scram-sha-256 from this address',
  },
  unknown: {
    asks: 'an authentication that keyturn does not know',
    remedy: 'let pg_hba.conf demand scram-sha-256 from this address',
  },
} as const;

export type AuthenticationMethod = keyof typeof METHODS;

const IMPOSTOR = 'If nobody changed the server, find out who answers at this address';

/**
 * A server that does not authenticate by SCRAM-SHA-256 as it should. `scram`: it asks in another way, or does not
 * prove that it knows the password. `unproven`: it lets a client in without a question.
 */
export class ScramFault extends Error {
  override readonly name = 'ScramFault';
  readonly kind: 'scram' | 'unproven';
  /** What the server asked for instead, where it asked. */
  readonly asked: AuthenticationMethod | undefined;

  constructor(
    kind: 'scram' | 'unproven',
    message: string,
    options: ErrorOptions & { readonly asked?: AuthenticationMethod } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.asked = options.asked;
  }
}

export function otherMethod(asked: AuthenticationMethod, cause?: unknown): ScramFault {
  const { asks, remedy } = METHODS[asked];
  return new ScramFault(
    'scram',
    `the server asks for ${asks}. keyturn answers SCRAM-SHA-256 only, and sent nothing; ${remedy}. ${IMPOSTOR}`,
    { asked, cause },
  );
}

/** Whether a server asked for an MD5 hash, as it does where pg_hba.conf says md5 and it has no other of the password. */
export function asksForMd5(error: unknown): boolean {
  if (error instanceof ScramFault) return error.asked === 'md5';
  return error instanceof Error && asksForMd5(error.cause);
}

export function notAsked(): ScramFault {
  return new ScramFault(
    'unproven',
    'the server let us in without a SCRAM exchange, so nothing proves the password, nor the server; let pg_hba.conf demand scram-sha-256 from this address, or configure no password where none is asked for',
  );
}

/** `cause` is what pg found wrong in the exchange. */
export function brokenExchange(cause: unknown): ScramFault {
  const told = cause instanceof Error ? cause.message : String(cause);
  return new ScramFault(
    'scram',
    `the server did not prove by SCRAM that it knows the password (${told}); it may be an impostor. Find out who answers at this address`,
    { cause },
  );
}
