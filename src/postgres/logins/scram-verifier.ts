import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

/**
 * The SCRAM-SHA-256 verifier of a password, in the form PostgreSQL stores and accepts in place of
 * the password (`ALTER ROLE … PASSWORD`), so that nothing readable crosses the wire or reaches a
 * log (G3).
 *
 * Only printable ASCII is accepted, which SASLprep (RFC 4013) leaves as it is. Format:
 * https://www.postgresql.org/docs/current/catalog-pg-authid.html, keys: RFC 5802 section 3.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16), iterations = 4096): string {
  if (!PRINTABLE_ASCII.test(password)) {
    throw new RangeError('A password for a SCRAM verifier must be printable ASCII');
  }
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

/**
 * The verifier of a published version's password, the same each time it is made: PostgreSQL and a
 * PgBouncer's auth_file must have the same salt, else PgBouncer cannot log in with what its client
 * proved. The salt comes from the version's token, a random UUID, and never from the password:
 * servers tell anybody the salt. Without a token, for a version made by hand, it is random.
 */
export function versionVerifier(
  { username, password }: { readonly username: string; readonly password: string },
  token: string | undefined,
): string {
  if (token === undefined) return scramVerifier(password);
  const salt = createHash('sha256').update(`keyturn ${token} ${username}`).digest().subarray(0, 16);
  return scramVerifier(password, salt);
}

/** Whether a verifier is that of a password. */
export function isVerifierOf(verifier: string, password: string): boolean {
  const [, iterations, salt] = /^SCRAM-SHA-256\$([1-9]\d{0,5}):([A-Za-z0-9+/=]+)\$/.exec(verifier) ?? [];
  if (iterations === undefined || salt === undefined || !PRINTABLE_ASCII.test(password)) return false;
  return scramVerifier(password, Buffer.from(salt, 'base64'), Number(iterations)) === verifier;
}
