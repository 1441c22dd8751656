import type { DeliveryFacts, SinkFacts } from '../../facts/events/sink-facts.ts';
import type { Messages } from '../message.ts';
import { suggestion } from '../problems.ts';

const EVENT = '5a1c2f0e-6f6b-4a0e-9a55-0f6a4c1f9d21';
const AWAY = { code: 'sink-answered', params: { status: 503 } } as const;

export const sinkMessages: Messages<SinkFacts> = {
  'sink-unreachable': {
    text: ({ detail }) => `the receiver cannot be reached: ${detail}`,
    means: 'The connection to the receiver of an event failed, or ended before it answered.',
    example: { detail: 'connect ECONNREFUSED 192.0.2.7:443' },
  },
  'sink-too-slow': {
    text: ({ seconds }) => `the receiver did not answer within ${seconds} s`,
    advice: 'have the receiver answer first and work later, or raise timeout',
    means: 'A sink has `timeout` to take an event, 10 s unless configured otherwise.',
    example: { seconds: 10 },
  },
  'sink-answered': {
    text: ({ status }) => `the receiver answered with status ${status}`,
    means: 'Only a status from 200 to 299 says that an event was taken.',
    example: { status: 503 },
  },
  'sink-gone': {
    text: () => 'the receiver wants no more events: it answered with status 410',
    advice: 'remove the sink, or correct its URL and send the events again: keyturn events redeliver --dead',
    means: 'Status 410 ends the delivery of an event at once. Later events are tried all the same.',
    example: {},
  },
  'sink-redirects': {
    text: ({ status }) => `the receiver redirects (status ${status}), and that is not followed`,
    advice: 'write the URL that it redirects to',
    means: 'A redirect could lead an event to any address, so none is followed.',
    example: { status: 302 },
  },
  'sink-address-refused': {
    text: ({ host, address }) => `${host} is ${address}, which is not an address of the Internet`,
    advice: 'write allowPrivate: true if the receiver is in your own network',
    means:
      'The name of a receiver stands for a loopback, link-local, private or reserved address, perhaps since somebody changed its DNS record.',
    example: { host: 'hooks.example.com', address: '169.254.169.254' },
  },
  'sink-plaintext-refused': {
    text: ({ host, address }) => `${host} is ${address}, and nothing goes over the Internet in plaintext`,
    advice: 'write https:// in the URL of the sink',
    means: 'A URL that begins with http:// is for receivers at private addresses only.',
    example: { host: 'hooks.internal', address: '192.0.2.7' },
  },
  'sink-mail-refused': {
    text: ({ reply, after }) => `the mail server answered ${after} with ${reply}`,
    means: 'A mail server does not take a mail, its sender, one of its receivers, or the login.',
    example: { reply: 550, after: 'RCPT TO' },
  },
  'sink-command-failed': {
    text: ({ exit, signal }) =>
      signal === null ? `the command ended with ${exit}` : `the command was ended by ${signal}`,
    means: 'Only the exit code 0 says that a command has taken an event.',
    example: { exit: 1, signal: null },
  },
  'sink-command-not-started': {
    text: ({ command, detail }) => `${command} cannot be started: ${detail}`,
    advice: 'give the absolute path of the program, and let keyturn execute it',
    means: 'The program of a sink is missing, or may not be executed.',
    example: { command: '/usr/local/bin/tell-pager', detail: 'ENOENT' },
  },
};

export const deliveryMessages: Messages<DeliveryFacts> = {
  'event-not-delivered': {
    text: ({ sink, type, event, cause }, tell) =>
      `the sink ${sink} did not take ${type} (${event}), which is sent again later: ${tell(cause)}`,
    means:
      'An event could not be delivered. It is tried again for three days, and later events of the same policy wait for it.',
    example: { sink: 'ops', type: 'rotation.failed', event: EVENT, cause: AWAY },
  },
  'event-dead': {
    text: ({ sink, type, event, cause }, tell) =>
      `the sink ${sink} never took ${type} (${event}), so it is not sent any more: ${tell(cause)}`,
    advice: 'once the receiver works, run: keyturn events redeliver --dead',
    means: 'An event is a dead letter after three days of failures, or at once after status 410.',
    example: { sink: 'ops', type: 'rotation.failed', event: EVENT, cause: AWAY },
  },
  'sink-works-again': {
    text: ({ sink }) => `the sink ${sink} takes events again`,
    means: 'A receiver that was away has taken an event. What waited for it follows in order.',
    example: { sink: 'ops' },
  },
  'sink-unknown': {
    text: ({ name }) => `unknown sink "${name}"`,
    advice: suggestion,
    means: 'The configuration has no sink of this name in `events.sinks`.',
    example: { name: 'ospc', near: 'ops', known: ['ops', 'chat'] },
  },
  'no-sink': {
    text: () => 'no sink is configured, so events are delivered nowhere',
    advice: 'add one to events.sinks in the configuration',
    means: 'Events are kept in the ledger, and `keyturn events` shows them all the same.',
    example: {},
  },
  'event-id-invalid': {
    text: ({ given }) => `"${given}" is not the id of an event`,
    advice: 'keyturn events lists them',
    means: 'An event has a UUID as its id.',
    example: { given: '17' },
  },
  'no-event-named': {
    text: () => 'no event is named',
    advice: 'name events by their ids, or add --dead for all dead letters',
    means: '`keyturn events redeliver` sends nothing again that was not asked for.',
    example: {},
  },
  'events-and-dead': {
    text: () => 'events are named, and --dead means all dead letters',
    advice: 'give one of them',
    means: 'It is not clear what `keyturn events redeliver` is to send again.',
    example: {},
  },
};
