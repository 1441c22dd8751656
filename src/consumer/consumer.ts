// What `keyturn/consumer` exports.
export type { Credential } from './credential.ts';
export { CredentialError, type CredentialErrorCode } from './credential-error.ts';
export { type Credentials, type CredentialsOptions, openCredentials } from './credentials.ts';
export {
  type ClientClass,
  type RotatingClient,
  type RotatingClientOptions,
  rotatingClient,
} from './rotating-client.ts';
export { createRotatingPool, type RotatingPoolOptions } from './rotating-pool.ts';
export type { AwsSource, CustomSource, FileSource, ReadCredential, SecretNames, Source } from './source.ts';
