import { setTimeout as sleep } from 'node:timers/promises';
import { type Credential, isSameLogin } from './credential.ts';
import { CredentialError } from './credential-error.ts';
import { readWithin } from './read-within.ts';
import { type Reader, readerOf, type Source } from './source.ts';
import { startTimer } from './start-timer.ts';

const FILE_REFRESH_MS = 5_000;
const REFRESH_MS = 30_000;
const TIMEOUT_MS = 15_000;
/** Connections that are refused have the source read at most this often. */
const FORCED_EVERY_MS = 1_000;

export interface CredentialsOptions {
  /**
   * Milliseconds between two reads, 24 days at most. Default: 5,000 for files, else 30,000.
   * Infinity: it is read again only after a login was refused, or by `refresh()`.
   */
  readonly refreshEvery?: number;
  /** For how many milliseconds a read may take. Default: 15,000. Infinity: without a limit. */
  readonly timeout?: number;
  /**
   * Called when a read in the background fails. The last credential that was read stays in use.
   * Default, and where it throws: one warning of the process, until a read succeeds again.
   */
  readonly onError?: (error: CredentialError) => void;
}

/** The credential that is published now. */
export interface Credentials {
  /** The credential as it was read last, without a wait; undefined before the first read. */
  readonly cached: Credential | undefined;
  /**
   * Resolves at once with the credential as it was read last, and reads it again in the background
   * if that is longer ago than `refreshEvery`. Only the first call waits. Rejects with a
   * CredentialError if nothing could be read yet.
   */
  current(): Promise<Credential>;
  /** Reads the source now. A read that is under way is shared. Rejects with a CredentialError. */
  refresh(): Promise<Credential>;
  /**
   * What to use after the server refused a credential: what was read since, or what a new read
   * gives. Never rejects: where the read fails, `onError` hears of it, and the same is returned.
   */
  replacementOf(refused: Credential): Promise<Credential>;
  /**
   * Calls the listener with each credential whose username or password differs from the one
   * before. Returns what unsubscribes it.
   */
  onChange(listener: (credential: Credential) => void): () => void;
  /** Ends all reads. What was read stays usable. Resolves when no read is under way. */
  close(): Promise<void>;
}

/**
 * Opens a source. Nothing is read before the first use. Timers do not keep the process alive.
 * Throws a CredentialError if the source or an option is wrong.
 */
export function openCredentials(source: Source, options: CredentialsOptions = {}): Credentials {
  const refreshEvery = options.refreshEvery ?? (source.type === 'file' ? FILE_REFRESH_MS : REFRESH_MS);
  const times = { refreshEvery, timeout: options.timeout ?? TIMEOUT_MS };
  for (const [option, given] of Object.entries(times)) requireMilliseconds(option, given);
  return new CachedCredentials(readerOf(source), { ...options, ...times });
}

/** NaN, as of a variable that is not set, would be a timer of 1 ms. */
function requireMilliseconds(option: string, given: unknown): void {
  if (typeof given === 'number' && given >= 0) return;
  throw new CredentialError('option-invalid', { option, given: String(given) });
}

type Settings = CredentialsOptions & Required<Pick<CredentialsOptions, 'refreshEvery' | 'timeout'>>;

class CachedCredentials implements Credentials {
  readonly #reader: Reader;
  readonly #settings: Settings;
  readonly #listeners = new Set<(credential: Credential) => void>();
  readonly #ended = new AbortController();
  #cached: Credential | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<Credential> | undefined;
  #forced: Promise<Credential> | undefined;
  #forcedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #hasWarned = false;

  constructor(reader: Reader, settings: Settings) {
    this.#reader = reader;
    this.#settings = settings;
  }

  get cached(): Credential | undefined {
    return this.#cached;
  }

  async current(): Promise<Credential> {
    if (this.#cached === undefined) return this.refresh();
    if (performance.now() - this.#readAt >= this.#settings.refreshEvery) this.#refreshInBackground();
    return this.#cached;
  }

  refresh(): Promise<Credential> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      this.#schedule();
    });
    return this.#reading;
  }

  replacementOf(refused: Credential): Promise<Credential> {
    if (this.#cached && !isSameLogin(this.#cached, refused)) return Promise.resolve(this.#cached);
    this.#forced ??= this.#force(refused).finally(() => {
      this.#forced = undefined;
    });
    return this.#forced;
  }

  onChange(listener: (credential: Credential) => void): () => void {
    // A function of our own, so that the same listener may be given twice.
    const own = (credential: Credential) => listener(credential);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  async close(): Promise<void> {
    this.#ended.abort();
    clearTimeout(this.#timer);
    this.#listeners.clear();
    await this.#reading?.catch(() => {});
    this.#reader.close();
  }

  async #read(): Promise<Credential> {
    const { signal } = this.#ended;
    if (signal.aborted) return this.#last();
    try {
      return this.#take(await readWithin(this.#settings.timeout, this.#reader, signal));
    } catch (error) {
      if (signal.aborted) return this.#last();
      throw error;
    }
  }

  /** What closed credentials still give. */
  #last(): Credential {
    if (this.#cached) return this.#cached;
    throw new CredentialError('closed');
  }

  #take(read: Credential): Credential {
    const before = this.#cached;
    this.#cached = read;
    this.#readAt = performance.now();
    this.#hasWarned = false;
    if (before && !isSameLogin(before, read))
      for (const listener of [...this.#listeners]) this.#tell(listener, read);
    return read;
  }

  #tell(listener: (credential: Credential) => void, credential: Credential): void {
    try {
      listener(credential);
    } catch (cause) {
      this.#report(new CredentialError('listener-failed', {}, { cause }));
    }
  }

  /** A read that began before the server refused may still give what was refused. */
  async #force(refused: Credential): Promise<Credential> {
    await this.#reading?.catch(() => {});
    if (this.#cached && !isSameLogin(this.#cached, refused)) return this.#cached;
    const pause = this.#forcedAt + FORCED_EVERY_MS - performance.now();
    if (pause > 0) await sleep(pause, undefined, { ref: false });
    this.#forcedAt = performance.now();
    return this.refresh().catch((error: CredentialError) => {
      this.#report(error);
      return refused;
    });
  }

  #refreshInBackground(): void {
    if (this.#reading === undefined) this.refresh().catch((error: CredentialError) => this.#report(error));
  }

  /** Not before the first read has succeeded: whoever asks first hears what is wrong. */
  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#ended.signal.aborted || this.#cached === undefined) return;
    this.#timer = startTimer(this.#settings.refreshEvery, () => this.#refreshInBackground());
  }

  #report(error: CredentialError): void {
    const { onError } = this.#settings;
    if (!onError) {
      this.#warn(error);
      return;
    }
    // What it throws, at once or as a promise, must not reach those who only want a credential.
    new Promise((resolve) => resolve(onError(error))).catch(() => this.#warn(error));
  }

  #warn(error: CredentialError): void {
    if (this.#hasWarned) return;
    process.emitWarning(error.message, { type: error.name, code: error.code });
    this.#hasWarned = true;
  }
}
