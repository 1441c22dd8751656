import { counted } from '../../counted.ts';
import type { Fact } from '../../facts/fact.ts';
import type { ProofFacts } from '../../facts/rotation/proof-facts.ts';
import { beginning, withReplica } from '../database/at-server.ts';
import type { Messages } from '../message.ts';

const REFUSED: Fact = {
  code: 'unexpected',
  params: { text: 'db.internal:5432: password authentication failed for user "orders_api_b"' },
};

export const proofMessages: Messages<ProofFacts> = {
  'password-refused': {
    text: ({ login, cause }, tell) =>
      `PostgreSQL refuses the password that ${login} should have: ${tell(cause)}`,
    advice: 'see what else alters this login or its secret',
    means:
      'A login does not log in with the password that keyturn gave it. Before publish the rotation ends, and another one takes its place once.',
    example: { login: 'orders_api_b', cause: REFUSED },
  },
  'login-not-proven': {
    text: ({ server, login }) =>
      `${server}: the server let ${login} in without a SCRAM exchange, so its password is not proven`,
    advice: 'let pg_hba.conf demand scram-sha-256 from this address',
    means: 'The server asks for no password, so logging in proves nothing.',
    example: { server: 'db.internal:5432', login: 'orders_api_b' },
  },
  'current-user-differs': {
    text: ({ login, currentUser, expected }) =>
      `After logging in as ${login} the current user is ${currentUser}, not ${expected}`,
    advice: ({ owner }) => (owner === null ? "name it as the policy's owner" : 'see ALTER ROLE … SET role'),
    means:
      'What consumers create would belong to another role than the policy says. The login has a default role that the policy does not name, or the owner is not its default role.',
    example: {
      login: 'orders_api_b',
      currentUser: 'orders_api_b',
      expected: 'orders_owner',
      owner: 'orders_owner',
    },
  },
  'verify-statement-failed': {
    text: ({ statement, cause }, tell) =>
      `The verify statement ${JSON.stringify(statement)} failed as ${tell(cause)}`,
    means:
      "One of the policy's `verify` statements failed for the incoming login, so consumers would fail too.",
    example: {
      statement: 'SELECT 1 FROM orders LIMIT 1',
      cause: { code: 'unexpected', params: { text: 'orders_api_b: permission denied for table orders' } },
    },
  },
  'published-password-altered': {
    text: ({ destination, cause }, tell) =>
      `What ${destination} publishes was altered in its place, and is refused: ${tell(cause)}`,
    advice: ({ mayGoBack }) =>
      `put it right${mayGoBack ? ', or go back' : ''}, or end this rotation and begin another`,
    means:
      'Somebody edited the published version of an open rotation, and PostgreSQL refuses what is in it. keyturn gives no login a password that it did not make.',
    example: { destination: 'aws (primary)', mayGoBack: true, cause: REFUSED },
  },
  'published-login-dropped': {
    text: ({ destination, login, outgoing }) =>
      `${destination} publishes ${login}, which does not exist any more${outgoing === null ? '' : `, so ${outgoing} stays as it is`}`,
    advice: 'make it again and this rotation gives it its password',
    means: 'Somebody dropped the published login while its rotation is open. Consumers are refused.',
    example: { destination: 'aws (primary)', login: 'orders_api_b', outgoing: 'orders_api_a' },
  },
  'password-set-again': {
    text: ({ login, destination, repairs }) =>
      `PostgreSQL refused ${login}: its password is set again from ${destination}${repairs.length === 0 ? '' : `, with ${repairs.join(' ')}`}`,
    advice: 'find out what altered it',
    means:
      'The published login did not log in any more. keyturn gave it the published password again, and what else lets it in.',
    example: { login: 'orders_api_b', destination: 'aws (primary)', repairs: ['LOGIN'] },
  },
  'published-fails': {
    text: ({ destination, login, server, cause }, _tell, { text }) =>
      `${destination} publishes ${login}, and ${server} does not let it in: ${text(cause)}`,
    means:
      'A probe logs in with what is published, as a consumer would. The server refused it, or could not be asked.',
    example: {
      destination: 'files (primary)',
      login: 'orders_api_b',
      server: 'db.internal:5432',
      cause: REFUSED,
    },
  },
  'check-waiting-for-probes': {
    text: ({ server }) =>
      `${server} is another server than before, or was restarted: what is published there is probed first`,
    means:
      'After a failover, a restored backup or a restart the published credential may not work. The slot waits two minutes at most until every policy of the connection was probed.',
    example: { server: 'db.internal:5432' },
  },
  'connection-limit-near': {
    text: ({ login, sessions, limit }) =>
      `${login} has ${counted(sessions, 'session')}, and its CONNECTION LIMIT is ${limit}`,
    advice: 'raise the limit with ALTER ROLE, or let consumers have fewer sessions',
    means: 'When the limit is reached, PostgreSQL refuses consumers of the published login.',
    example: { login: 'orders_api_b', sessions: 19, limit: 20 },
  },
  'credential-broken': {
    text: ({ cause }, _tell, { text }) => `the published credential does not work: ${text(cause)}`,
    means:
      'Two probes in a row were refused. `keyturn status` says `broken` until the published credential logs in again.',
    example: {
      cause: {
        code: 'published-fails',
        params: {
          destination: 'files (primary)',
          login: 'orders_api_b',
          server: 'db.internal:5432',
          cause: REFUSED,
        },
      },
    },
  },
  'credential-restored': {
    text: () => 'the published credential works again',
    means: 'A probe has logged in with the published credential, which did not work before.',
    example: {},
  },
  'credential-healed': {
    text: () => 'the published credential did not work, and is restored',
    means: 'The policy says `heal: restore`. The worker did what `keyturn restore` does.',
    example: {},
  },
  'credential-not-healed': {
    text: ({ cause }, tell) => `the published credential is not restored: ${tell(cause)}`,
    means: 'The policy says `heal: restore`, and the worker could not. It tries again with each probe.',
    example: { cause: REFUSED },
  },
  'rotator-password-unknown': {
    text: ({ policy, destination, cause }, tell) =>
      `${tell(cause)}. ${destination} has no other of policy ${policy}`,
    advice: 'if another destination was the first of the policy until now, put that back',
    means: "The rotator's configured password is refused, and none was ever published.",
    example: { policy: 'rotator', destination: 'aws (primary)', cause: REFUSED },
  },
  'rotator-passwords-refused': {
    text: (params) => allRefused(params),
    advice:
      "if another destination was the first of the policy until now, put that back; if the role's VALID UNTIL is over, end that; else set a password by hand (ALTER ROLE … PASSWORD '…'), and configure it there",
    means: 'PostgreSQL refuses every password that the rotator may have.',
    example: {
      server: 'db.internal:5432',
      policy: 'rotator',
      destination: 'aws (primary)',
      connection: 'orders-db',
    },
  },
  'replica-refuses-rotator-passwords': {
    text: (params) => `${beginning(params)}${allRefused(params)}`,
    advice: ({ replica }) =>
      withReplica(
        'it may not have replayed the password of now: find out from pg_stat_replication on the primary what keeps it',
        replica,
      ),
    means: 'A replica refuses every password that the rotator may have. It is tried again.',
    example: {
      server: 'replica-1:5432',
      policy: 'rotator',
      destination: 'aws (primary)',
      connection: 'orders-db',
    },
  },
};

function allRefused({
  server,
  policy,
  destination,
  connection,
}: ProofFacts['rotator-passwords-refused']): string {
  return `${server}: PostgreSQL refuses what ${destination} has of policy ${policy}, current, pending and previous, and the password that connection ${connection} configures`;
}
