/** About a secret store. `store` is its name in the configuration, `secret` a name in it. */
export interface StoreFacts extends AwsFacts, FileStoreFacts, HttpStoreFacts, ModuleStoreFacts {
  readonly 'secret-missing': { readonly store: string; readonly secret: string };
  /** The secret exists, and nobody has given it a value yet. */
  readonly 'secret-empty': { readonly store: string; readonly secret: string };
  /** It is mapped by key. */
  readonly 'secret-not-json': { readonly secret: string };
  /** It holds keys that the mapping does not name, so it is not deleted. */
  readonly 'secret-shared': {
    readonly store: string;
    readonly secret: string;
    readonly keys: readonly string[];
  };
  /** There is nothing to write into a mapped field. */
  readonly 'field-without-value': { readonly secret: string; readonly field: string };
  /** Another process staged another value under the same token first. */
  readonly 'version-conflict': { readonly store: string; readonly token: string; readonly field: string };
  readonly 'version-not-promotable': {
    readonly store: string;
    readonly secret: string;
    readonly token: string;
  };
  /** Another process took it for abandoned. */
  readonly 'version-removed': { readonly store: string; readonly folder: string; readonly token: string };
  readonly 'version-token-invalid': { readonly token: string };
  /** Other processes change the secret so often that keyturn never finds it as it was. */
  readonly 'secret-contended': { readonly store: string; readonly secret: string };
  /** Something else has the name under which versions of the secret are staged. */
  readonly 'staging-secret-foreign': { readonly store: string; readonly secret: string };
}

/** A service of AWS, as IAM calls it. */
export type AwsService = 'secretsmanager' | 'ssm' | 'sts';

/**
 * A request to AWS that failed. `detail` has nothing that the service said in words: they may
 * repeat a value (G3).
 */
interface AwsRequest {
  readonly store: string;
  readonly secret: string;
  /** As IAM calls it, without the service. */
  readonly action: string;
  /** The error's name, the HTTP status, the request's id. */
  readonly detail: string;
  /** Left out: Secrets Manager. */
  readonly service?: AwsService;
}

interface AwsFacts {
  readonly 'store-unreachable': AwsRequest;
  readonly 'store-throttled': AwsRequest;
  readonly 'store-denied': AwsRequest;
  readonly 'store-credentials-missing': AwsRequest;
  readonly 'store-plaintext': AwsRequest;
  readonly 'store-refused': AwsRequest;
  readonly 'secret-deleted': { readonly store: string; readonly secret: string };
  readonly 'secret-binary': { readonly store: string; readonly secret: string };
  /** The service takes no new version before it has removed old ones. */
  readonly 'secret-versions-exhausted': { readonly store: string; readonly secret: string };
  /** A parameter that is no SecureString. */
  readonly 'parameter-in-plaintext': { readonly store: string; readonly secret: string };
}

/** About stores that keyturn asks over HTTPS itself. */
interface HttpStoreFacts {
  /** `detail`: how Node.js and OpenSSL call what is wrong with the certificate. */
  readonly 'store-certificate-refused': AwsRequest;
  readonly 'store-answer-invalid': Omit<AwsRequest, 'detail' | 'service'> & {
    readonly why: 'redirect' | 'too-large' | 'not-json' | 'unexpected';
  };
  readonly 'store-login-refused': {
    readonly store: string;
    readonly method: 'appRole' | 'kubernetes' | 'serviceAccount' | 'kubeconfig';
    readonly detail: string;
  };
  /** `path`: of the policy, with the mount. */
  readonly 'vault-denied': {
    readonly store: string;
    readonly secret: string;
    readonly path: string;
    readonly capabilities: readonly string[];
  };
  readonly 'vault-mount-unusable': { readonly store: string; readonly mount: string };
  readonly 'vault-sealed': { readonly store: string };
  readonly 'kubernetes-denied': {
    readonly store: string;
    readonly namespace: string;
    /** Empty: the core API. */
    readonly group: string;
    readonly resource: string;
    readonly name: string;
    readonly verb: string;
  };
  readonly 'kubernetes-namespace-missing': { readonly store: string; readonly namespace: string };
  readonly 'kubernetes-secret-immutable': { readonly store: string; readonly secret: string };
  /** A kubeconfig, or what a pod has instead. `detail`: the system's name of the error. */
  readonly 'kubernetes-config-unusable': {
    readonly store: string;
    readonly file: string;
    readonly why:
      | 'unreadable'
      | 'no-kubeconfig'
      | 'context'
      | 'cluster'
      | 'user'
      | 'unverified'
      | 'plaintext'
      | 'no-credential';
    readonly detail?: string;
  };
  /** `target`: as configured, such as `deployment/web`. */
  readonly 'restart-target-missing': {
    readonly store: string;
    readonly target: string;
    readonly namespace: string;
  };
}

/** About stores that somebody else wrote. */
interface ModuleStoreFacts {
  /** `detail`: the code or the name of the error. */
  readonly 'store-module-invalid': {
    readonly store: string;
    readonly module: string;
    readonly why: 'import' | 'no-open-store' | 'open-store' | 'no-store' | 'no-verb';
    readonly verb?: string;
    readonly detail?: string;
  };
  /** A verb gave something that the contract does not know. */
  readonly 'store-module-wrong-result': { readonly store: string; readonly verb: string };
  /** A verb threw something that is no fault. */
  readonly 'store-module-failed': {
    readonly store: string;
    readonly verb: string;
    readonly detail: string;
  };
  /** A verb, or `openStore`, took longer than it may. */
  readonly 'store-module-too-slow': {
    readonly store: string;
    readonly verb: string;
    readonly seconds: number;
  };
}

/** What has a name in a folder where something else should be. */
export interface Occupant {
  /** `hard-link`: of a file that has other names, too. */
  readonly kind: 'nothing' | 'link' | 'hard-link' | 'folder' | 'file' | 'pipe' | 'socket' | 'device';
  /** Where a link leads. */
  readonly target?: string;
}

/** What stops no rotation: more users than necessary may use a store, or fewer than configured. */
export type RightsCode = 'folder-exposed' | 'folder-closed-to-group' | 'path-rights-differ';

interface FileStoreFacts {
  /** The file system does not let keyturn do it now. */
  readonly 'folder-unusable': { readonly store: string; readonly errno: string; readonly detail: string };
  /** The path cannot be a store's folder. */
  readonly 'folder-invalid': { readonly store: string; readonly detail: string };
  /** `..data` led to another version each time that the files were read. */
  readonly 'folder-contended': { readonly store: string; readonly path: string };
  /** Another process removed what was being written. */
  readonly 'folder-removed': { readonly store: string; readonly path: string };
  readonly 'folder-owned-by-other': {
    readonly store: string;
    readonly path: string;
    readonly uid: number;
    /** The user that keyturn runs as. */
    readonly own: number;
  };
  readonly 'folder-open-to-all': { readonly store: string; readonly path: string; readonly mode: string };
  /** A folder inside a store is a link, or no folder. */
  readonly 'folder-replaced': { readonly store: string; readonly path: string; readonly found: Occupant };
  /**
   * More users than necessary may use a folder, in a way that stops nothing. `mode` as in chmod.
   */
  readonly 'folder-exposed': {
    readonly store: string;
    readonly path: string;
    readonly mode: string;
    readonly to: 'group' | 'others';
    readonly may: 'read' | 'write';
  };
  /** Members of the group cannot reach what the store has for them. `owner` is the folder's gid. */
  readonly 'folder-closed-to-group': {
    readonly store: string;
    readonly path: string;
    readonly mode: string;
    readonly owner: number;
    /** As it is configured, or the gid of the user that keyturn runs as. */
    readonly group: string;
  };
  /** What consumers open has another group or mode than the store's. `owner` is its gid. */
  readonly 'path-rights-differ': {
    readonly store: string;
    readonly path: string;
    readonly mode: string;
    readonly owner: number;
    readonly wanted: string;
    /** Null: no group is configured. */
    readonly group: string | null;
  };
  readonly 'group-unknown': { readonly store: string; readonly group: string };
  /** This process may not give files to the group. */
  readonly 'group-not-joined': {
    readonly store: string;
    readonly group: string;
    readonly gid: number;
    /** The user that keyturn runs as. */
    readonly uid: number;
  };
  readonly 'link-foreign': { readonly store: string; readonly path: string; readonly target: string };
  /**
   * Something that keyturn did not make has a name that keyturn uses. `expected: secret` is a plain
   * file or our link.
   */
  readonly 'path-foreign': {
    readonly store: string;
    readonly path: string;
    readonly found: Occupant;
    readonly expected: 'link' | 'folder' | 'file' | 'secret';
  };
  /** A file has more than keyturn reads. `limit` in bytes. */
  readonly 'path-too-large': { readonly store: string; readonly path: string; readonly limit: number };
}
