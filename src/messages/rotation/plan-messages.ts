import { counted } from '../../counted.ts';
import type { PlanFacts } from '../../facts/rotation/plan-facts.ts';
import type { Messages } from '../message.ts';
import { holdersNow } from './describe-use.ts';

const NOBODY = { login: 'orders_api_a', sessions: [], prepared: [], clients: [] };

function seconds(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 1000)} s`;
}

export const planMessages: Messages<PlanFacts> = {
  'plan-done': {
    text: () => 'done',
    means: 'What the step brings about is there already.',
    example: {},
  },
  'plan-check': {
    text: ({ incoming, outgoing }) => `finds nothing in the way: ${incoming} comes in, ${outgoing} goes out`,
    means: 'The check would pass, with these logins.',
    example: { incoming: 'orders_api_b', outgoing: 'orders_api_a' },
  },
  'plan-check-rotator': {
    text: ({ login }) => `finds nothing in the way: ${login} gets a new password`,
    means: "The check would pass. It is the rotator's own password that is rotated.",
    example: { login: 'keyturn' },
  },
  'plan-stage': {
    text: ({ length, destinations }) =>
      `makes a password of ${length} characters and stages it as pending in ${destinations.join(' and ')}`,
    means: 'The step would make the new password and keep it in the secret stores.',
    example: { length: 32, destinations: ['aws (primary)', 'files (destination 2)'] },
  },
  'plan-set': {
    text: ({ login }) => `alters ${login}: LOGIN and the new password, as a SCRAM-SHA-256 verifier`,
    means: 'The step would give the incoming login its new password.',
    example: { login: 'orders_api_b' },
  },
  'plan-set-rotator': {
    text: ({ login }) => `alters ${login}: the new password, as a SCRAM-SHA-256 verifier; sessions go on`,
    means: 'The step would give the rotator its new password.',
    example: { login: 'keyturn' },
  },
  'plan-verify': {
    text: ({ login, statements, replicas }) =>
      `logs in as ${login} with the staged password${statements > 0 ? ` and runs ${counted(statements, 'statement')}` : ''}${replicas.map((name) => `, then logs in on ${name}`).join('')}`,
    means: 'The step would log in with the new password, as a consumer would.',
    example: { login: 'orders_api_b', statements: 1, replicas: ['replica-1:5432'] },
  },
  'plan-publish': {
    text: ({ login, destinations }) =>
      `makes ${login} current in ${destinations.join(', then ')}, and reads it back`,
    means: 'The step would make the new credential the one that consumers read.',
    example: { login: 'orders_api_b', destinations: ['files (destination 2)', 'aws (primary)'] },
  },
  'plan-drain': {
    text: ({ grace, timeout, begun, onTimeout, ...use }) =>
      begun
        ? `waits ${seconds(grace)} more of grace, then until ${use.login} has no session (${holdersNow(use)}); in ${seconds(timeout)}: ${onTimeout}`
        : `waits ${seconds(grace)} of grace, then until ${use.login} has no session (${holdersNow(use)}); after ${seconds(timeout)}: ${onTimeout}`,
    means: 'The step would wait until nobody uses the outgoing login, or until the deadline has passed.',
    example: { ...NOBODY, grace: 300_000, timeout: 1_800_000, begun: false, onTimeout: 'terminate' },
  },
  'plan-no-drain': {
    text: (use) => `does not wait for sessions of ${use.login} (${holdersNow(use)})`,
    means: 'An emergency does not wait for those who use the outgoing login.',
    example: NOBODY,
  },
  'plan-revoke': {
    text: ({ login, endsSessions, replicas }) =>
      `alters ${login}: NOLOGIN and no password${endsSessions ? ', and ends the sessions that outstayed the drain' : ''}${replicas.map((name) => `; done when ${name} has replayed it too`).join('')}`,
    means: 'The step would shut the outgoing login out.',
    example: { login: 'orders_api_a', endsSessions: true, replicas: ['replica-1:5432'] },
  },
};
