import { awsReader } from './aws-reader.ts';
import { type Credential, credentialOf } from './credential.ts';
import { CredentialError } from './credential-error.ts';
import { fileReader } from './file-reader.ts';

/** Two secrets as in a policy: `name`, or `name#key` for one key of a secret that holds JSON. */
export interface SecretNames {
  readonly username: string;
  readonly password: string;
}

/**
 * Files in the layout of keyturn's file store, which is that of a mounted Kubernetes secret. The
 * names are paths below `path`, and both must be in one folder.
 */
export interface FileSource {
  readonly type: 'file';
  /** The folder of the store. A relative one starts at the working directory. */
  readonly path: string;
  readonly secrets: SecretNames;
}

/** Secrets of one destination in AWS Secrets Manager. Needs `@aws-sdk/client-secrets-manager`. */
export interface AwsSource {
  readonly type: 'aws-secrets-manager';
  /** Left out: as the SDK finds it. */
  readonly region?: string;
  /** The URL of an emulator or of a VPC endpoint. */
  readonly endpoint?: string;
  readonly secrets: SecretNames;
}

/** Any other place. `read` gets a signal that aborts when it takes too long. */
export interface CustomSource {
  readonly type: 'custom';
  read(options: { readonly signal: AbortSignal }): Promise<ReadCredential>;
}

export interface ReadCredential {
  readonly username: string;
  readonly password: string;
  readonly version?: string;
}

export type Source = FileSource | AwsSource | CustomSource;

/** What reads a source. `read` throws a CredentialError, or whatever a custom source throws. */
export interface Reader {
  read(signal: AbortSignal): Promise<Credential>;
  close(): void;
}

/** Throws a CredentialError where the source cannot be meant. Nothing is read yet. */
export function readerOf(source: Source): Reader {
  switch (source.type) {
    case 'file':
      return fileReader(source);
    case 'aws-secrets-manager':
      return awsReader(source);
    case 'custom':
      return customReader(source);
    default:
      // An application without types may give anything.
      throw new CredentialError('source-unknown', { type: String((source as Source).type) });
  }
}

function customReader(source: CustomSource): Reader {
  return {
    async read(signal) {
      const found: Partial<ReadCredential> | undefined = await source.read({ signal });
      const { username, password, version } = found ?? {};
      if (!isText(username) || !isText(password)) throw new CredentialError('source-invalid');
      return credentialOf({ username, password, version: isText(version) ? version : undefined });
    },
    close() {},
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
