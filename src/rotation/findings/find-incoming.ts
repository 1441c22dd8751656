import type { SessionInfo } from '../../facts/database/session-info.ts';
import { fact } from '../../facts/fact.ts';
import { usernameIn } from '../../formats/told-by.ts';
import { sessionsIn } from '../../postgres/sessions/sessions.ts';
import { loginsAfterRefusal, resolveLogins } from '../context/resolve-logins.ts';
import type { LoginPair } from '../context/rotation-logins.ts';
import type { LoginsPreview } from '../context/rotation-view.ts';
import { servedBy } from '../proof/served-by.ts';
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
  const { rotation } = preview;
  const sessions = sessionsIn(await surveyedUses(preview));
  const findings = await outsideFindings(preview);
  if (isStopped(findings)) return { findings };
  const inUse = await unpublishedUse(preview, sessions);
  if (inUse) findings.push(inUse);
  if (isStopped(findings)) return { findings };
  const { incoming, outgoing } =
    rotation?.incoming && rotation.outgoing
      ? { incoming: rotation.incoming, outgoing: rotation.outgoing }
      : await resolve(preview, sessions);
  const left = sessions.get(incoming) ?? [];
  if (left.length > 0) {
    const inWay = fact('incoming-has-sessions', { login: incoming, sessions: left });
    findings.push(finding('fail', 'sessions', inWay));
  }
  const served = await servedBy(preview, incoming);
  if (served) {
    const inWay = fact('incoming-is-published', { login: incoming, destination: served.name });
    findings.push(finding('fail', 'published', inWay));
  }
  return { logins: { incoming, outgoing }, findings };
}

/** Which login comes in by what the primary publishes, by who is in use, and by what is refused. */
async function resolve(
  preview: LoginsPreview,
  sessions: ReadonlyMap<string, readonly SessionInfo[]>,
): Promise<LoginPair> {
  const { logins } = preview.policy;
  const username = usernameIn((await preview.read(preview.destinations[0], 'current'))?.fields ?? {});
  const usual = resolveLogins(logins, username, (await preview.survey()).logins, sessions);
  if (username !== usual.outgoing) return usual;
  const refused = loginsAfterRefusal(logins, username, sessions);
  if (refused.incoming === usual.incoming || (await servedBy(preview, username))) return usual;
  return refused;
}
