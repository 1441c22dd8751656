import { counted } from '../../counted.ts';
import { readLogins } from '../../postgres/logins/login.ts';
import { describeSession, sessionsIn } from '../../postgres/sessions/sessions.ts';
import { publisherOf } from '../context/publisher-of.ts';
import { resolveLogins } from '../context/resolve-logins.ts';
import type { LoginsContext } from '../context/rotation-context.ts';
import type { Finding } from './finding.ts';
import { outsideFindings } from './outside-findings.ts';
import { unpublishedUse } from './unpublished-use.ts';

export interface ComingIn {
  /** Undefined where a finding says why neither login can come in. */
  readonly logins?: { readonly incoming: string; readonly outgoing: string };
  readonly findings: readonly Finding[];
}

/** Which login comes in now and which goes out, and what in the stores or in use is in the way. Needs logins that exist. */
export async function comingIn(context: LoginsContext): Promise<ComingIn> {
  const { policy, rotation } = context;
  const client = await context.rotator();
  const sessions = sessionsIn(await context.uses(policy.logins));
  const findings = await outsideFindings(context);
  if (isStopped(findings)) return { findings };
  const inUse = await unpublishedUse(context, sessions);
  if (inUse) findings.push(inUse);
  if (isStopped(findings)) return { findings };
  const published = await context.read(context.destinations[0], 'current');
  const { incoming, outgoing } =
    rotation.incoming && rotation.outgoing
      ? { incoming: rotation.incoming, outgoing: rotation.outgoing }
      : resolveLogins(
          policy.logins,
          published?.fields.username,
          await readLogins(client, policy.logins),
          sessions,
        );
  const still = sessions.get(incoming) ?? [];
  if (still.length > 0) {
    findings.push({
      level: 'fail',
      about: 'sessions',
      text: `The incoming login ${incoming} still has ${counted(still.length, 'session')}: ${still.map(describeSession).join(', ')}`,
      remedy: 'find out who uses it and end them',
    });
  }
  const publisher = await publisherOf(context, incoming);
  if (publisher) {
    findings.push({
      level: 'fail',
      about: 'published',
      text: `${publisher.name} publishes ${incoming}, which would be given a new password under its readers`,
      remedy: 'correct that secret first',
    });
  }
  return { logins: { incoming, outgoing }, findings };
}

function isStopped(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === 'fail');
}
