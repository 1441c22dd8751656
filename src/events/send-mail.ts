import { createTransport } from 'nodemailer';
import pTimeout, { TimeoutError } from 'p-timeout';
import type { MailSink } from '../config/sink.ts';
import { fact } from '../facts/fact.ts';
import { type Attempt, away, DELIVERED } from './attempt.ts';
import { headlineOf, type ToldEvent } from './told-event.ts';

/** With TLS from the first byte: https://www.rfc-editor.org/rfc/rfc8314 */
const TLS_PORT = 465;

/** What nodemailer throws. */
interface MailError extends Error {
  /** The code of the server's answer, if it answered. */
  readonly responseCode?: number;
  /** Which command it answered. */
  readonly command?: string;
}

/** Mails an event. One that is sent twice has the same Message-ID. */
export async function sendMail(sink: MailSink, event: ToldEvent, signal: AbortSignal): Promise<Attempt> {
  const transport = createTransport(transportOf(sink));
  try {
    const sending = transport.sendMail(mailOf(sink, event));
    await pTimeout(sending, { milliseconds: sink.timeout, signal });
    return DELIVERED;
  } catch (error) {
    signal.throwIfAborted();
    return judged(error as MailError, sink.timeout);
  } finally {
    transport.close();
  }
}

function judged(error: MailError, timeout: number): Attempt {
  if (error instanceof TimeoutError)
    return away(fact('sink-too-slow', { seconds: Math.ceil(timeout / 1000) }));
  const { responseCode: reply, command = 'CONN', message } = error;
  // What the server says is not shown: it may repeat the password.
  if (reply === undefined) return away(fact('sink-unreachable', { detail: message }));
  const refused = fact('sink-mail-refused', { reply, after: command });
  const isOfMail = reply >= 500 && /^(MAIL|RCPT|DATA|BDAT)/.test(command);
  return isOfMail ? { isDelivered: false, fact: refused, isSinkAway: false } : away(refused);
}

function transportOf({ host, port, user, password, tls, timeout }: MailSink) {
  const { mode, ca, cert, key, servername = host } = tls;
  const isEncrypted = mode !== 'disable';
  return {
    host,
    port,
    secure: isEncrypted && port === TLS_PORT,
    requireTLS: isEncrypted,
    ignoreTLS: !isEncrypted,
    ...(user !== undefined && password !== undefined && { auth: { user, pass: password } }),
    tls: {
      servername,
      rejectUnauthorized: mode !== 'require',
      ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    },
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function mailOf({ from, to }: MailSink, event: ToldEvent) {
  const { id, timestamp, data } = event;
  return {
    from,
    to: [...to],
    subject: headlineOf(event),
    messageId: `<${id}@keyturn>`,
    text: `${[data.message, '', `event: ${id}`, `at: ${timestamp}`, `code: ${data.code}`].join('\n')}\n`,
    // Nobody's holiday has to answer: https://www.rfc-editor.org/rfc/rfc3834
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}
