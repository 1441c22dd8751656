import { fact } from '../../facts/fact.ts';
import { sessionsIn } from '../../postgres/sessions/sessions.ts';
import { publisherOf } from '../context/publisher-of.ts';
import { resolveLogins } from '../context/resolve-logins.ts';
import type { LoginPair } from '../context/rotation-logins.ts';
import type { LoginsPreview } from '../context/rotation-view.ts';
import { surveyedUses } from '../uses/surveyed-uses.ts';
import { type Finding, finding, isStopped } from './finding.ts';
import { outsideFindings } from './outside-findings.ts';
import { unpublishedUse } from './unpublished-use.ts';

export interface IncomingLogin {
  /** Undefined where a finding says why neither login can come in. */
  readonly logins?: LoginPair;
  readonly findings: readonly Finding[];
}

/**
 * Which login comes in now and which goes out, and what in the stores or in use is in the way.
 * Needs logins that exist.
 */
export async function findIncoming(preview: LoginsPreview): Promise<IncomingLogin> {
  const { policy, rotation } = preview;
  const sessions = sessionsIn(await surveyedUses(preview));
  const findings = await outsideFindings(preview);
  if (isStopped(findings)) return { findings };
  const inUse = await unpublishedUse(preview, sessions);
  if (inUse) findings.push(inUse);
  if (isStopped(findings)) return { findings };
  const published = await preview.read(preview.destinations[0], 'current');
  const { incoming, outgoing } =
    rotation?.incoming && rotation.outgoing
      ? { incoming: rotation.incoming, outgoing: rotation.outgoing }
      : resolveLogins(policy.logins, published?.fields.username, (await preview.survey()).logins, sessions);
  const left = sessions.get(incoming) ?? [];
  if (left.length > 0) {
    const inWay = fact('incoming-has-sessions', { login: incoming, sessions: left });
    findings.push(finding('fail', 'sessions', inWay));
  }
  const publisher = await publisherOf(preview, incoming);
  if (publisher) {
    const inWay = fact('incoming-is-published', { login: incoming, destination: publisher.name });
    findings.push(finding('fail', 'published', inWay));
  }
  return { logins: { incoming, outgoing }, findings };
}
