import type { Recording } from './tcp-proxy.ts';

const SSL_REQUEST = '0000000804d2162f';
/** change_cipher_spec, alert, handshake, application_data: https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
const RECORD_TYPES = [20, 21, 22, 23];

/** What a client sent that is neither the question for TLS nor TLS; nothing, where it kept its word. */
export function plaintextOf({ fromClient, fromServer }: Recording): string {
  const sent = Buffer.concat(fromClient);
  const answered = Buffer.concat(fromServer);
  if (sent.subarray(0, 8).toString('hex') !== SSL_REQUEST) return sent.toString('latin1');
  const rest = sent.subarray(8);
  if (answered.subarray(0, 1).toString() !== 'S') return rest.toString('latin1');
  return afterRecords(rest) + afterRecords(answered.subarray(1));
}

/** What follows the last whole TLS record. */
function afterRecords(bytes: Buffer): string {
  let at = 0;
  while (at < bytes.length) {
    const length = at + 5 <= bytes.length ? bytes.readUInt16BE(at + 3) : Number.POSITIVE_INFINITY;
    const isRecord =
      RECORD_TYPES.includes(bytes[at] ?? 0) && bytes[at + 1] === 3 && at + 5 + length <= bytes.length;
    if (!isRecord) return bytes.subarray(at).toString('latin1');
    at += 5 + length;
  }
  return '';
}
