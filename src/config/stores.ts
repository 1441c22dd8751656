/** A role on AWS that keyturn's own identity assumes. */
export interface AwsRole {
  readonly arn: string;
  readonly externalId?: string;
  /** Left out: keyturn. */
  readonly sessionName?: string;
  /** URL of an emulator of STS, or of a VPC endpoint. */
  readonly endpoint?: string;
}

interface AwsStore {
  readonly name: string;
  readonly region?: string;
  readonly endpoint?: string;
  /** Says that secrets may go over the network in plaintext. */
  readonly tls?: { readonly mode: 'disable' };
  /** Left out: keyturn's own identity. */
  readonly role?: AwsRole;
}

export interface FileStoreConfig {
  readonly name: string;
  readonly type: 'file';
  readonly path: string;
  /** Of files and folders: a name, or a gid in digits. Left out: whichever the system gives. */
  readonly group?: string;
  /** Of files. Left out: 0600, or 0640 with a group. */
  readonly mode?: number;
}

/** How secrets are made on AWS Secrets Manager. Those that exist stay as they are. */
export interface MadeSecrets {
  /** Id, ARN or alias of a KMS key. Left out: the service's own in this account. */
  readonly kmsKey?: string;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly replicaRegions?: readonly { readonly region: string; readonly kmsKey?: string }[];
}

export interface SecretsManagerConfig extends AwsStore, MadeSecrets {
  readonly type: 'aws-secrets-manager';
}

export interface ParameterStoreConfig extends AwsStore {
  readonly type: 'aws-parameter-store';
  /** Id, ARN or alias of a KMS key. Left out: the service's own in this account. */
  readonly kmsKey?: string;
  /** Left out: whichever the account has as its default. */
  readonly tier?: 'standard' | 'advanced' | 'intelligent';
  /** The first part of the names under which versions are staged. */
  readonly staging: string;
}

/** How a store over HTTPS is checked; PEM texts. It is always checked. */
export interface HttpTls {
  /** Left out: the public CAs that Node.js knows. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

/** One of these. */
export interface VaultAuth {
  readonly token?: string;
  readonly appRole?: { readonly roleId: string; readonly secretId: string; readonly mount?: string };
  /** `tokenPath`: of the service account's token. Left out: where Kubernetes mounts it. */
  readonly kubernetes?: { readonly role: string; readonly mount?: string; readonly tokenPath?: string };
}

export interface VaultStoreConfig {
  readonly name: string;
  readonly type: 'vault';
  readonly url: string;
  /** Path of the KV engine of version 2. */
  readonly mount: string;
  readonly namespace?: string;
  readonly auth: VaultAuth;
  readonly tls?: HttpTls;
  /** The first part of the paths under which versions are staged. */
  readonly staging: string;
}

export interface KubernetesStoreConfig {
  readonly name: string;
  readonly type: 'kubernetes';
  /** Left out: that of the kubeconfig, or of the pod. */
  readonly namespace?: string;
  /** Left out: keyturn runs as a pod of the cluster. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** What to restart after each promotion, such as `deployment/web`. */
  readonly restart: readonly string[];
}

/** A store that somebody else wrote. */
export interface ModuleStoreConfig {
  readonly name: string;
  readonly type: 'module';
  /** Absolute path of a file, or the name of a package. */
  readonly module: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** One entry of `stores`. */
export type Store =
  | FileStoreConfig
  | SecretsManagerConfig
  | ParameterStoreConfig
  | VaultStoreConfig
  | KubernetesStoreConfig
  | ModuleStoreConfig;
