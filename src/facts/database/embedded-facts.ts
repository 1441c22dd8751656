import type { Fact } from '../fact.ts';
import type { HolderInfo } from './session-info.ts';

/** About the PostgreSQL that comes with keyturn: its programs, its folder, its process. */
export interface EmbeddedFacts {
  readonly 'embedded-platform-unknown': { readonly platform: string };
  /** The npm package is not installed. `name` is what to install. */
  readonly 'embedded-package-missing': { readonly name: string };
  /** As root there must be another system user to run PostgreSQL as. */
  readonly 'embedded-user-missing': Readonly<Record<never, never>>;
  /** Null: the file says nothing that is a version. */
  readonly 'embedded-version-changed': {
    readonly data: string;
    readonly found: number | null;
    readonly brought: string;
  };

  /** The folder is a link to the cluster of another folder. */
  readonly 'embedded-folder-linked': {
    readonly folder: string;
    readonly target: string;
    readonly own: string;
  };
  /** The folder was moved while its server ran. */
  readonly 'embedded-folder-moved': { readonly data: string; readonly path: string };
  readonly 'embedded-folder-writable': { readonly path: string };
  readonly 'embedded-folder-of-another': {
    readonly path: string;
    readonly uid: number;
    /** Whose it must be. */
    readonly owner: number;
  };
  readonly 'embedded-folder-expected': { readonly path: string };
  readonly 'embedded-file-expected': { readonly path: string };
  /** A file of PostgreSQL's was replaced, so nothing was written to it. */
  readonly 'embedded-file-replaced': { readonly path: string };

  readonly 'embedded-port-taken': { readonly host: string; readonly port: number };
  readonly 'embedded-ports-taken': { readonly host: string };
  /** A program of PostgreSQL failed, with what it said. */
  readonly 'embedded-program-failed': {
    readonly program: string;
    readonly argument: string;
    readonly status: number | null;
    readonly detail: string;
  };
  /** `detail` is the end of its log. */
  readonly 'embedded-start-failed': { readonly data: string; readonly detail: string };
  readonly 'embedded-start-timeout': {
    readonly data: string;
    readonly log: string;
    readonly seconds: number;
  };
  readonly 'embedded-stop-timeout': { readonly pid: number; readonly seconds: number };
  /** The pid file names a process that the server's user may not signal. */
  readonly 'embedded-process-foreign': { readonly pid: number };
  /** The server on the port works in another data directory. */
  readonly 'embedded-server-elsewhere': { readonly data: string; readonly path: string };
  readonly 'embedded-server-keeps-ending': { readonly times: number; readonly minutes: number };
  readonly 'embedded-server-lost': { readonly data: string; readonly log: string; readonly cause: Fact };
  /** Another process of keyturn keeps a lock of the server. */
  readonly 'embedded-lock-held': { readonly holders: readonly HolderInfo[] };
}
