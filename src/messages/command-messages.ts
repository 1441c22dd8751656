import type { CommandFacts } from '../facts/command-facts.ts';
import { execMessages } from './exec-messages.ts';
import type { Messages } from './message.ts';

export const commandMessages: Messages<CommandFacts> = {
  ...execMessages,
  'connection-not-configured': {
    text: ({ connection }) => `No connection ${connection} is configured any more`,
    advice: 'put it back under connections, with the database in which the logins are',
    means:
      'Logins were made on a connection that is not in the configuration any more, so keyturn cannot reach them.',
    example: { connection: 'orders-db' },
  },
  'usage-wrong': {
    text: ({ detail }) => detail,
    advice: ({ help }) => `see ${help}`,
    means: 'A command line names a command or an option that does not exist, or leaves out what is needed.',
    example: { detail: "unknown option '--nonsense'", help: 'keyturn status --help' },
  },
  'no-policy-named': {
    text: () => 'Name a policy, or give --all',
    means: 'The command acts on policies and was given none.',
    example: {},
  },
  'policies-and-all': {
    text: () => 'Name policies or give --all, not both',
    means: 'The command was given the names of policies and `--all`.',
    example: {},
  },
  'adopt-needs-one-policy': {
    text: () => 'With --adopt name one policy: what was changed is to be judged for each by itself',
    means:
      '`rotate --adopt` takes over what somebody else changed in the secrets of a policy. That needs a look at each one, so it takes one policy at a time.',
    example: {},
  },
  'log-level-unknown': {
    text: ({ given, allowed }) =>
      `KEYTURN_LOG_LEVEL is ${JSON.stringify(given)}; must be ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}`,
    means: 'The environment variable `KEYTURN_LOG_LEVEL` has a value that is no level of the log.',
    example: { given: 'verbose', allowed: ['debug', 'info', 'silent'] },
  },
  'confirmation-impossible': {
    text: ({ question, option }) => `${question} Nobody is here to be asked; add ${option}`,
    means:
      'The command asks before it acts, and its standard input is no terminal. Nothing was done. The option answers beforehand.',
    example: { question: 'Rotate 2 policies?', option: '--yes' },
  },
  'not-confirmed': {
    text: () => 'Nothing was done',
    means: 'The answer was not the one that was asked for, letter for letter.',
    example: {},
  },
  interrupted: {
    text: () => 'Interrupted; nothing was done',
    means: 'Somebody pressed Ctrl-C before the command had done anything.',
    example: {},
  },
  'nothing-published': {
    text: ({ policy }) => `${policy} publishes no credential yet`,
    means:
      'The primary destination of the policy has no username or no password. The first rotation publishes them.',
    example: { policy: 'orders-api' },
  },
  'option-not-a-count': {
    text: ({ option, least, most, given }) =>
      `${option} must be a whole number from ${least} to ${most}, not ${JSON.stringify(given)}`,
    means: 'An option of a command takes a count and was given something else.',
    example: { option: '--next', given: 'x', least: 1, most: 10_000 },
  },
  'option-not-a-duration': {
    text: ({ option, given }) =>
      `${option} must be a duration such as 90s, 10m or 2h, not ${JSON.stringify(given)}`,
    means: 'An option of a command takes a duration and was given something else.',
    example: { option: '--timeout', given: 'soon' },
  },
  'option-too-long': {
    text: ({ option, most, given }) => `${option} must be ${most} at most, not ${JSON.stringify(given)}`,
    means: 'An option of a command takes a duration and was given a longer one than the command can wait.',
    example: { option: '--every', given: '30d', most: '24d' },
  },
  'option-not-since': {
    text: ({ option, given }) =>
      `${option} must be a duration such as 30d, or a date or instant such as 2027-03-28, not ${JSON.stringify(given)}`,
    means: 'An option of a command says since when, and was given something else.',
    example: { option: '--since', given: 'yesterday' },
  },
  'option-in-future': {
    text: ({ option, given, now }) =>
      `${option} is ${given}, and it is ${now} by the clock of the state database; must not lie in the future`,
    means: 'An option of a command says since when, and that instant has not come yet.',
    example: { option: '--since', given: '2031-01-01T00:00:00.000Z', now: '2027-03-28T02:30:00.000Z' },
  },
  'option-not-a-reason': {
    text: ({ option, most, length }) =>
      length > most
        ? `${option} may have ${most} characters at most, not ${length}`
        : `${option} must not be blank; leave it out if there is nothing to say`,
    means: 'An option takes a short text for the history, and was given a long one or none.',
    example: { option: '--reason', length: 1_048_576, most: 500 },
  },
  'option-not-an-instant': {
    text: ({ option, given }) =>
      `${option} must be an ISO 8601 instant such as 2027-03-28T02:30+01:00, or a date, not ${JSON.stringify(given)}`,
    means: 'An option of a command takes an instant and was given something else.',
    example: { option: '--from', given: 'tomorrow' },
  },
};
