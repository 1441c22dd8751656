import type pg from 'pg';
import type { Clock } from '../clock.ts';
import type { Fact } from '../facts/fact.ts';
import type { Identity } from '../postgres/connection/identity.ts';
import type { Expected } from './append-history.ts';
import { type Actions, actionsIn } from './audit/actions.ts';
import type { Requester } from './audit/requester.ts';
import {
  type DuePolicy,
  forgetDue,
  keepDue,
  type PolicySlot,
  readDue,
  readSlots,
  type SettledPolicy,
  settleDue,
} from './due-policies.ts';
import { recount } from './future.ts';
import { type RotationRequest, requestRotation } from './insert-rotation.ts';
import { type LedgerContext, nowOf } from './ledger-context.ts';
import { migrateLedger } from './migrations/migrate-ledger.ts';
import { type Outbox, outboxIn } from './outbox/outbox.ts';
import { pause, resume, see, timingOf } from './policies.ts';
import { type Probes, probesIn } from './probes.ts';
import { type Provisions, provisionsIn } from './provisions.ts';
import { lastPublished, type Publication } from './publications/last-published.ts';
import { publishedLogins } from './publications/published-logins.ts';
import { type FoundPublication, recoverPublication } from './publications/recover-publication.ts';
import {
  findRotation,
  latestRotations,
  type NumberedRotation,
  openRotations,
  type PolicySummary,
  type RotationQuery,
  readEvents,
  rotationPage,
  summarize,
} from './read-rotations.ts';
import { type Retention, retentionIn } from './retention/retention.ts';
import type { Event, Rotation, StepName } from './rotation.ts';
import { type Servers, serversIn } from './servers.ts';
import { identityIn, isReadOnly, openToPublic } from './state-database.ts';
import { readTimings, type Timing } from './timing.ts';
import { type Changes, failed, type Line, record, warn } from './write-history.ts';
import { escalate, finish, replace, rollBack } from './write-rotation.ts';

/**
 * Rotations and their history, in the state database. What takes an {@link Expected} throws a fault
 * `rotation-superseded`, and writes nothing, when the rotation was ended or turned round meanwhile:
 * so a worker that was stopped and wakes up changes nothing.
 */
export interface Ledger {
  /**
   * Opens a rotation. Throws a fault `rotation-open-already` while another of the policy is open;
   * returns undefined when the slot has had its rotation already, or another has ended since
   * `decidedOn` was read.
   */
  request(request: RotationRequest): Promise<Rotation | undefined>;
  find(id: string): Promise<Rotation | undefined>;
  /** Every open rotation, or that of one policy. */
  open(policy?: string): Promise<Rotation[]>;
  /** What the policy's latest rotation that published anything, and is over, has published. */
  lastPublished(policy: string): Promise<Publication | undefined>;
  /** Which login each of these policies publishes. Left out where the ledger cannot tell. */
  publishedLogins(policies: readonly string[]): Promise<Map<string, string>>;
  /**
   * Adds a publication to the history that the ledger does not know, since it was lost or restored
   * from a backup. Returns false if the policy has another latest rotation by now.
   */
  recover(found: FoundPublication): Promise<boolean>;
  /** The latest rotations, newest first, of one policy or of all. */
  latest(query: RotationQuery): Promise<Rotation[]>;
  /** Those that were opened after the one with the number `after`, oldest first. */
  page(query: RotationQuery & { readonly after: string }): Promise<NumberedRotation[]>;
  /**
   * The latest rotation of each of these policies that has one, and when each last had one done.
   */
  summary(policies: readonly string[]): Promise<Map<string, PolicySummary>>;
  timing(policy: string): Promise<Timing>;
  /**
   * The timing of each of these policies; of one that was never seen, as though it were first seen
   * now.
   */
  timings(policies: readonly string[]): Promise<Map<string, Timing>>;
  /** Records that a worker has these policies, and since when: the first instant stays. */
  see(policies: readonly string[]): Promise<void>;
  /**
   * Adds policies to the index of what is due, each with the fingerprint of its schedule. New ones
   * are due at once, and whatever changes what a policy's slots are counted from makes it due.
   */
  keepDue(policies: ReadonlyMap<string, string>): Promise<void>;
  /** What somebody has to look at now. */
  due(): Promise<DuePolicy[]>;
  /** Says when to look again. What has changed since it was read stays due. */
  settleDue(settled: readonly SettledPolicy[]): Promise<void>;
  /** Removes entries from the index, but for those that have changed since they were read. */
  forgetDue(entries: readonly DuePolicy[]): Promise<void>;
  /** The next slot of every policy that has one, by each of its schedules. */
  slots(): Promise<PolicySlot[]>;
  /** Pauses a policy's schedule. Returns false if it was paused already; then nothing changes. */
  pause(policy: string, requester: Requester): Promise<boolean>;
  /** Lets a policy's schedule go on. Returns whether it was paused. */
  resume(policy: string, requester: Requester): Promise<boolean>;
  /** The lines of rotations; those of some kinds where `kinds` is given. */
  events(rotations: readonly string[], kinds?: readonly Event['kind'][]): Promise<Event[]>;
  /**
   * Counts an open rotation's instants that lie in the future from now on; undefined when it has
   * none.
   */
  recount(id: string): Promise<Rotation | undefined>;
  /**
   * Appends to the history, and changes what goes with it. Each step has one `started` and one
   * `done`; `waiting` is kept only if its fact is new, so that a long drain is a few lines and not
   * one for each poll. Returns the rotation as it is now.
   */
  record(rotation: Expected, lines: readonly Line[], changes?: Changes): Promise<Rotation>;
  /**
   * Appends a warning. `subject` says in short what it is about, where one code may be told of
   * several things. Returns false if the rotation has it already.
   */
  warn(rotation: Expected, step: StepName, fact: Fact, subject?: string): Promise<boolean>;
  /** Counts a failure and appends it to the history. */
  failed(rotation: Expected, step: StepName, fact: Fact): Promise<Rotation>;
  /**
   * Ends a rotation. `fact` says why; left out, the last failure stays. `cancelledBy` is written
   * with it, as an action.
   */
  finish(
    rotation: Expected,
    status: 'done' | 'failed',
    fact?: Fact,
    cancelledBy?: Requester,
  ): Promise<Rotation>;
  /**
   * Ends an open rotation as failed and opens one like it in its place, at one instant; undefined
   * when it was not open any more.
   */
  replace(rotation: Expected, by: string): Promise<Rotation | undefined>;
  /** Makes an open rotation an emergency: its drain is over. */
  escalate(id: string, requester: Requester): Promise<Rotation | undefined>;
  /**
   * Turns an open rotation round; undefined when it is not open any more, or is on its way back
   * already.
   */
  rollBack(id: string, back: Requester & { readonly to: string }): Promise<Rotation | undefined>;
  /** As whom and where it is kept. */
  identity(): Promise<Identity>;
  /** Whether nothing can be written there. */
  isReadOnly(): Promise<boolean>;
  /** The state database, where every login of its server may connect to it; undefined where not. */
  openToPublic(): Promise<string | undefined>;
  /** What people did about policies, besides asking for rotations. */
  readonly actions: Actions;
  /** Events, and what sinks still have to hear. */
  readonly outbox: Outbox;
  /** What keeps the ledger from growing for ever. */
  readonly retention: Retention;
  /** What was done to the roles of policies. */
  readonly provisions: Provisions;
  /** Which policies are probed next, and which publish what does not work. */
  readonly probes: Probes;
  /** Which server each connection leads to, and which are looked at next. */
  readonly servers: Servers;
}

/**
 * Opens the ledger in a database, bringing its tables up to date first. The pool stays the
 * caller's.
 */
export async function openLedger(pool: pg.Pool, clock: Clock): Promise<Ledger> {
  // Long because it names each verb once.
  await migrateLedger(pool);
  const ledger = { pool, clock };
  return {
    request: (request) => requestRotation(ledger, request),
    find: (id) => findRotation(ledger, id),
    open: (policy) => openRotations(ledger, policy),
    lastPublished: (policy) => lastPublished(pool, policy),
    publishedLogins: (policies) => publishedLogins(ledger, policies),
    recover: (found) => recoverPublication(ledger, found),
    latest: (query) => latestRotations(ledger, query),
    page: (query) => rotationPage(ledger, query),
    summary: (policies) => summarize(ledger, policies),
    timing: (policy) => timingOf(ledger, policy),
    timings: (policies) => readTimings(pool, policies, nowOf(ledger)),
    see: (policies) => see(ledger, policies),
    keepDue: (policies) => keepDue(ledger, policies),
    due: () => readDue(ledger),
    settleDue: (settled) => settleDue(ledger, settled),
    forgetDue: (entries) => forgetDue(ledger, entries),
    slots: () => readSlots(ledger),
    pause: (policy, requester) => pause(ledger, policy, requester),
    resume: (policy, requester) => resume(ledger, policy, requester),
    events: (rotations, kinds) => readEvents(ledger, rotations, kinds),
    recount: (id) => recount(pool, id, nowOf(ledger)),
    record: (rotation, lines, changes = {}) => record(ledger, rotation, { lines, changes }),
    warn: (rotation, step, fact, subject = '') => warn(ledger, rotation, { step, fact, subject }),
    failed: (rotation, step, fact) => failed(ledger, rotation, { step, fact }),
    finish: (rotation, status, fact, cancelledBy) => finish(ledger, rotation, { status, fact, cancelledBy }),
    replace: (rotation, by) => replace(ledger, rotation, by),
    escalate: (id, requester) => escalate(ledger, id, requester),
    rollBack: (id, back) => rollBack(ledger, id, back),
    identity: () => identityIn(pool),
    isReadOnly: () => isReadOnly(pool),
    openToPublic: () => openToPublic(pool),
    ...sectionsOf(ledger),
  };
}

function sectionsOf(ledger: LedgerContext) {
  return {
    actions: actionsIn(ledger),
    outbox: outboxIn(ledger),
    retention: retentionIn(ledger),
    provisions: provisionsIn(ledger.pool, ledger.clock),
    probes: probesIn(ledger),
    servers: serversIn(ledger),
  };
}
