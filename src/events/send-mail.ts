import { createTransport } from 'nodemailer';
import type { MailSink } from '../config/sink.ts';
import { fact } from '../facts/fact.ts';
import { type Attempt, away, DELIVERED } from './attempt.ts';
import { headlineOf, type ToldEvent } from './told-event.ts';

/** With TLS from the first byte: https://www.rfc-editor.org/rfc/rfc8314 */
const TLS_PORT = 465;

/** What nodemailer throws: https://nodemailer.com/errors */
interface MailError extends Error {
  readonly code?: string;
  /** What the server answered, if that is why. It is part of the message then. */
  readonly response?: string;
  /** The number that the answer begins with. */
  readonly responseCode?: number;
  /** Which command it answered. */
  readonly command?: string;
}

/** The codes of errors whose message is of the system or of TLS, unless there is a response. */
const OF_CONNECTION: readonly (string | undefined)[] = ['EDNS', 'ESOCKET', 'ECONNECTION', 'ETLS'];

/** Mails an event. One that is sent twice has the same Message-ID. */
export async function sendMail(sink: MailSink, event: ToldEvent, signal: AbortSignal): Promise<Attempt> {
  const late = AbortSignal.timeout(sink.timeout);
  const mail = { ...mailOf(sink, event), signal: AbortSignal.any([signal, late]) };
  try {
    await createTransport(transportOf(sink)).sendMail(mail);
    return DELIVERED;
  } catch (error) {
    signal.throwIfAborted();
    const isLate = late.aborted || (error as MailError).code === 'ETIMEDOUT';
    if (isLate) return away(fact('sink-too-slow', { seconds: Math.ceil(sink.timeout / 1000) }));
    return judged(error as MailError);
  }
}

/** What the server says is not shown: it may repeat the password. */
function judged({ code, response, responseCode: reply, command = 'CONN', message }: MailError): Attempt {
  if (reply === undefined || !isReplyCode(reply)) {
    const isSafe = OF_CONNECTION.includes(code) && response === undefined;
    return away(fact('sink-unreachable', { detail: isSafe ? message : (code ?? 'unknown error') }));
  }
  const refused = fact('sink-mail-refused', { reply, after: command });
  const isOfMail = reply >= 500 && /^(MAIL|RCPT|DATA|BDAT)/.test(command);
  return isOfMail ? { isDelivered: false, fact: refused, isSinkAway: false } : away(refused);
}

/**
 * Whether it is a reply of SMTP. Other digits may be a password.
 * https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1
 */
function isReplyCode(reply: number): boolean {
  return reply >= 200 && reply <= 599;
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
    // A server that never closes its side is left at once.
    socketCloseTimeout: 0,
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
