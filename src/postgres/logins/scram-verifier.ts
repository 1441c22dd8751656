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
