import type { ConsumerFacts } from '../../facts/doctor/consumer-facts.ts';
import type { Fact } from '../../facts/fact.ts';
import type { Messages } from '../message.ts';

const PRIMARY = 'aws (primary)';
const SERVER = 'db.internal:5432';
const REFUSED: Fact = {
  code: 'unexpected',
  params: { text: 'orders_api_a@db.internal:5432/orders: password authentication failed' },
};

export const consumerMessages: Messages<ConsumerFacts> = {
  'store-writable': {
    text: ({ destination }) => `${destination} took a version, which was discarded`,
    means: 'The secrets of a destination can be read and written.',
    example: { destination: PRIMARY },
  },
  'store-secrets-not-made': {
    text: ({ destination }) =>
      `${destination} can be read. Writing was not tried, because its secrets do not exist yet: the first rotation makes them`,
    means: 'The secrets of a destination do not exist yet, and `create` lets keyturn make them.',
    example: { destination: PRIMARY },
  },
  'nothing-published-yet': {
    text: ({ destination }) => `${destination} publishes no username and password yet`,
    means: 'There is no credential in a destination that could be tried.',
    example: { destination: PRIMARY },
  },
  'published-logs-in': {
    text: ({ destination, login, server }) =>
      `${login}, as ${destination} publishes it, logs in at ${server}`,
    means: 'What consumers read works.',
    example: { destination: PRIMARY, login: 'orders_api_a', server: SERVER },
  },
  'published-verifier-fits': {
    text: ({ destination, login, primary }) =>
      `The verifier of ${login} that ${destination} publishes is that of the password of ${primary}`,
    means: 'A userlist for PgBouncer has the verifier of the published password.',
    example: { destination: 'files (destination 2)', login: 'orders_api_a', primary: PRIMARY },
  },
  'published-verifier-differs': {
    text: ({ destination, login, primary }) =>
      `${destination} publishes a verifier of ${login} that is not that of the login and password of ${primary}, so PgBouncer refuses consumers`,
    advice: 'rotate, which publishes both anew',
    means:
      'A userlist for PgBouncer has another login, or the verifier of another password, than the primary.',
    example: { destination: 'files (destination 2)', login: 'orders_api_a', primary: PRIMARY },
  },
  'published-not-proven': {
    text: ({ login, server }) => `${server} lets ${login} in with any password, so verify could prove none`,
    advice: 'let pg_hba.conf demand scram-sha-256 from this address',
    means: 'The server did not ask for the password of the published login, so a wrong one would work, too.',
    example: { login: 'orders_api_a', server: SERVER },
  },
  'published-asks-md5': {
    text: ({ login, server }) =>
      `${server} asks for the password of ${login} by MD5, which keyturn does not answer: its verifier is an older one, and ends with the next rotation`,
    advice: 'let pg_hba.conf demand scram-sha-256 or md5 from this address',
    means: 'The published login has an MD5 verifier from before keyturn. It was not tried.',
    example: { login: 'orders_api_a', server: SERVER },
  },
  'published-refused': {
    text: ({ destination, cause }, _tell, quote) => describeRefused(destination, quote.text(cause)),
    advice: ({ cause }, quote) => quote.advice(cause),
    means: 'What consumers read does not work now, for another reason than the login and its password.',
    example: {
      destination: PRIMARY,
      cause: {
        code: 'unexpected',
        params: { text: 'db.internal:5432: permission denied for database orders' },
      },
    },
  },
  'published-finds-no-connection': {
    text: ({ destination, cause }, _tell, quote) => describeRefused(destination, quote.text(cause)),
    advice: 'end sessions that nobody needs, or raise the limit that it names',
    means: 'The server, the database or the login has no connection left for consumers.',
    example: {
      destination: PRIMARY,
      cause: { code: 'unexpected', params: { text: 'too many connections for role "orders_api_a"' } },
    },
  },
  'published-login-refused': {
    text: ({ destination, cause }, _tell, quote) => describeRefused(destination, quote.text(cause)),
    advice: ({ wayOut, rotation }) =>
      ({
        'rotate-rotator': 'give it another password, once nothing else is in the way',
        'restore-or-rotate':
          'restore what is published, or have the other login take over, once nothing else is in the way',
        rotate: 'have the other login take over, once nothing else is in the way',
        'end-then-adopt': `end rotation ${rotation}, which is open, and then take over what is published`,
        wait: `rotation ${rotation} has the other login take over as soon as a worker brings it on, or at once as an emergency`,
        'roll-back':
          'publish the other login again with a rollback, or end the drain, before which its password is set again',
        'end-drain': 'end the drain, before which its password is set again',
      })[wayOut],
    means:
      'PostgreSQL refuses the login that consumers read: its password, or because it is shut out. The commands in the message give them one that works.',
    example: { destination: PRIMARY, cause: REFUSED, wayOut: 'rotate', rotation: null },
  },
  'grace-shorter-than-cache': {
    text: ({ grace }) =>
      `drain.grace is ${describeGrace(grace)}, but consumers of AWS Secrets Manager usually cache: its agent for 5 min, its libraries for 1 h. Who logs in with a cached credential after the drain is refused`,
    advice: ({ policy }) => `set drain.grace of ${policy} to as long as its consumers cache, for instance 5m`,
    means:
      'A rotation waits for `grace` before it looks who still uses the old login. Consumers that cache a credential for longer are refused when they use it again.',
    example: { policy: 'orders-api', grace: 60_000 },
  },
  'grace-zero': {
    text: () =>
      'drain.grace is 0, so who read the old credential right before it was replaced may be refused',
    advice: ({ policy }) =>
      `set drain.grace of ${policy} to as long as its consumers cache, for instance 10s`,
    means:
      'A consumer may have read the old credential and not have logged in yet when the old login is revoked.',
    example: { policy: 'orders-api' },
  },
  'grace-not-verifiable': {
    text: ({ grace, aws }) =>
      `grace is ${describeGrace(grace)}; how long consumers cache cannot be seen from here${aws ? '; the caching libraries of AWS keep one for 1 h unless told otherwise' : ''}`,
    means:
      'Whether `grace` is long enough depends on how long consumers cache a credential, which only they know.',
    example: { grace: 300_000, aws: true },
  },
};

function describeRefused(destination: string, why: string): string {
  return `consumers that read ${destination} are refused: ${why}`;
}

function describeGrace(milliseconds: number): string {
  return milliseconds < 60_000 ? `${milliseconds / 1000} s` : `${Math.floor(milliseconds / 60_000)} min`;
}
