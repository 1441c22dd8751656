import type { Sink } from '../src/config/sink.ts';
import type { Outbox } from '../src/ledger/outbox/outbox.ts';
import type { RotationQueue } from '../src/queue/rotation-queue.ts';

/** What happens within this time is looked for once, in milliseconds. */
const TOGETHER_MS = 100;
/** How often a worker says that it still has its sinks, in milliseconds. */
const KEEP_EVERY_MS = 3_600_000;

export interface AnnounceParts {
  readonly outbox: Outbox;
  readonly queue: Pick<RotationQueue, 'deliver'>;
  readonly now: () => number;
  /** The configured sinks. After an edit it is another map. */
  readonly sinks: () => ReadonlyMap<string, Sink>;
}

/**
 * Queues what sinks have to hear. The ledger says what that is, so nothing is lost with a job or a
 * worker: whatever is not queued now is found by the next turn.
 */
export class Announcer {
  readonly #parts: AnnounceParts;
  #kept: { readonly sinks: ReadonlyMap<string, Sink>; readonly at: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();
  /** Ends deliveries that are under way, when the worker stops. */
  readonly signal = this.#stopping.signal;

  constructor(parts: AnnounceParts) {
    this.#parts = parts;
  }

  /** Registers the sinks where they are new: what happens from then on is for them, too. */
  async keep(): Promise<void> {
    const { outbox, now, sinks } = this.#parts;
    const [configured, at] = [sinks(), now()];
    const isFresh = this.#kept?.sinks === configured && Math.abs(at - this.#kept.at) < KEEP_EVERY_MS;
    if (isFresh) return;
    await outbox.keepSinks([...configured.values()]);
    this.#kept = { sinks: configured, at };
  }

  /** Looks soon: something may have happened. Costs nothing where no sink is configured. */
  soon(): void {
    if (this.#parts.sinks().size === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // The next turn looks again.
      this.#looking = this.look().catch(() => {});
    }, TOGETHER_MS);
  }

  /** Queues a job for each sink to which something is due. */
  async look(): Promise<void> {
    const { outbox, queue, now, sinks } = this.#parts;
    const names = [...sinks().keys()];
    if (names.length === 0) return;
    for (const [sink, at] of await outbox.due(names)) {
      if (at <= now()) await queue.deliver(sink);
    }
  }

  /** What each worker does again and again: its sinks may not be those of the others. */
  async turn(): Promise<void> {
    await this.keep();
    await this.look();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#looking;
  }
}
