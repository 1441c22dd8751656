import * as z from 'zod';
import type { ConfigRule } from '../../facts/config/config-rules.ts';
import { servername } from './connection-schema.ts';
import { fileMode, groupName, object, oneOf, text, textLike } from './schema-values.ts';

/** Plaintext beyond loopback must be configured: nothing falls back to it. */
export const plaintext = object('plaintext', {
  mode: oneOf(['disable']).describe('disable: secrets may go over the network in plaintext.'),
}).exactOptional();

const fileStore = object('file-store', {
  type: z.literal('file').describe('Files in the layout of a mounted Kubernetes secret.'),
  path: text('folder-path').describe('Folder of the secrets; made if it is missing.'),
  group: groupName()
    .exactOptional()
    .describe('Group that may read the secrets: a name or a gid. keyturn runs as a member, or as root.'),
  mode: fileMode()
    .exactOptional()
    .describe('Mode of the files: 0600 (default), 0640 (default with a group), 0400 or 0440.'),
}).refine(({ group, mode }) => group === undefined || mode === undefined || (mode & 0o040) !== 0, {
  path: ['mode'],
  error: 'file-mode-of-group' satisfies ConfigRule,
});

const endpoint = textLike(/^https?:\/\/[^\s/]+/, 'endpoint').exactOptional();

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const role = object('aws-role', {
  arn: textLike(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, 'role-arn').describe(
    'ARN of the role.',
  ),
  externalId: textLike(/^[\w+=,.@:/-]{2,1224}$/, 'external-id')
    .exactOptional()
    .describe('What the trust policy of the role asks for as sts:ExternalId.'),
  sessionName: textLike(/^[\w+=,.@-]{2,64}$/, 'session-name')
    .exactOptional()
    .describe('Name of the session in CloudTrail. Default: keyturn.'),
  endpoint: endpoint.describe('URL of an emulator of STS, or of its VPC endpoint.'),
}).exactOptional();

const regionName = () => textLike(/^[a-z0-9]+(-[a-z0-9]+)+$/, 'aws-region');

/** What the stores of AWS have in common. */
const aws = {
  region: regionName()
    .exactOptional()
    .describe('AWS region. Default: that of the AWS SDK (AWS_REGION, or its profile).'),
  endpoint: endpoint.describe('URL of an emulator or a VPC endpoint. Default: that of the region.'),
  tls: plaintext.describe('Needed for an endpoint with http:// that is not loopback.'),
  role: role.describe("Role to assume. Default: keyturn's own identity."),
};

const kmsKey = textLike(/^[\w/:-]{1,2048}$/, 'kms-key').exactOptional();

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/managing-secrets_tagging.html */
const tags = z.record(
  textLike(/^(?!aws:).{1,128}$/i, 'aws-tag'),
  z.string({ error: 'aws-tag' satisfies ConfigRule }).max(256, { error: 'aws-tag' satisfies ConfigRule }),
  { error: 'aws-tags' satisfies ConfigRule },
);

const replicaRegion = object('replica-region', {
  region: regionName().describe('AWS region of the replica.'),
  kmsKey: kmsKey.describe("KMS key there. Default: the service's own."),
});

const secretsManager = object('aws-store', {
  type: z
    .literal('aws-secrets-manager')
    .describe('AWS Secrets Manager, with the credentials of the AWS SDK.'),
  ...aws,
  kmsKey: kmsKey.describe('Id, ARN or alias of the KMS key of secrets that keyturn makes.'),
  description: text('text').exactOptional().describe('Description of secrets that keyturn makes.'),
  tags: tags.exactOptional().describe('Tags of secrets that keyturn makes.'),
  replicaRegions: z
    .array(replicaRegion, { error: 'replica-regions' satisfies ConfigRule })
    .exactOptional()
    .describe('Regions to which secrets that keyturn makes are replicated.'),
});

const parameterStore = object('parameter-store', {
  type: z
    .literal('aws-parameter-store')
    .describe('AWS Systems Manager Parameter Store (SecureString), with the credentials of the AWS SDK.'),
  ...aws,
  kmsKey: kmsKey.describe(
    "Id, ARN or alias of the KMS key of the parameters. Default: the account's alias/aws/ssm.",
  ),
  tier: oneOf(['standard', 'advanced', 'intelligent'])
    .exactOptional()
    .describe("Tier of the parameters. Default: that of the account's settings."),
  staging: textLike(/^(?!aws|ssm)[\w.-]{1,100}$/i, 'staging-name')
    .prefault('keyturn')
    .describe('First part of the names under which versions are staged: /keyturn/<name>.'),
});

/** Of a server over HTTPS. Its certificate is always checked. */
const httpTls = object('http-tls', {
  mode: oneOf(['disable'])
    .exactOptional()
    .describe('disable: needed for http:// to a host that is not loopback. Secrets go in plaintext.'),
  ca: text('pem')
    .exactOptional()
    .describe('PEM file, or PEM text, with the certificates to trust. Default: those of Node.js.'),
  cert: text('pem')
    .exactOptional()
    .describe('PEM file, or PEM text, with the client certificate; needs key.'),
  key: text('pem').exactOptional().describe('PEM file, or PEM text, with the key of the client certificate.'),
  servername: servername.exactOptional().describe('Name to check the certificate for and to send as SNI.'),
});

const vaultPath = () => textLike(/^[\w.-]+(\/[\w.-]+)*$/, 'vault-path');
const credential = () => text('vault-value');

const appRole = object('vault-app-role', {
  roleId: text('vault-value').describe('RoleID of the AppRole.'),
  secretId: credential().describe(`SecretID of the AppRole, best as \${file:PATH} or \${NAME}.`),
  mount: vaultPath().exactOptional().describe('Path of the auth method. Default: approle.'),
});

const podRole = object('vault-kubernetes', {
  role: text('vault-value').describe('Role of the Kubernetes auth method.'),
  mount: vaultPath().exactOptional().describe('Path of the auth method. Default: kubernetes.'),
  tokenPath: text('folder-path')
    .exactOptional()
    .describe("File with the token of the service account. Default: the pod's own."),
});

const vaultAuth = object('vault-auth', {
  token: credential().exactOptional().describe(`A token, best as \${file:PATH} or \${NAME}.`),
  appRole: appRole.exactOptional().describe('Log in as an AppRole.'),
  kubernetes: podRole.exactOptional().describe('Log in with the token of a Kubernetes service account.'),
}).refine((auth) => Object.keys(auth).length === 1, { error: 'vault-auth' satisfies ConfigRule });

const vault = object('vault-store', {
  type: z.literal('vault').describe('KV version 2 of HashiCorp Vault or OpenBao.'),
  url: textLike(/^https?:\/\/[^\s/@]+(\/\S*)?$/, 'endpoint').describe('URL of the server.'),
  mount: vaultPath().prefault('secret').describe('Path of the KV engine of version 2.'),
  namespace: vaultPath().exactOptional().describe('Namespace, on servers that have them.'),
  auth: vaultAuth.describe('How keyturn logs in.'),
  tls: httpTls.exactOptional().describe('How the server is checked.'),
  staging: vaultPath()
    .prefault('keyturn')
    .describe('First part of the paths under which versions are staged: keyturn/<path>.'),
});

const workload = textLike(
  /^(deployment|statefulset|daemonset)\/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
  'kubernetes-workload',
);

const kubernetes = object('kubernetes-store', {
  type: z.literal('kubernetes').describe('Secrets of one namespace of Kubernetes.'),
  namespace: textLike(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'kubernetes-namespace')
    .exactOptional()
    .describe('Namespace of the Secrets. Default: that of the kubeconfig, or of the pod.'),
  kubeconfig: text('folder-path')
    .exactOptional()
    .describe('Path of a kubeconfig. Default: keyturn runs as a pod of the cluster.'),
  context: text('kubernetes-context')
    .exactOptional()
    .describe('Context of the kubeconfig. Default: its current one.'),
  restart: z
    .array(workload, { error: 'kubernetes-workloads' satisfies ConfigRule })
    .prefault([])
    .describe('What to restart once after each promotion, such as deployment/web.'),
});

const moduleStore = object('module-store', {
  type: z.literal('module').describe('A store of your own: docs/stores.md.'),
  module: textLike(/^(\.\/\S+|@?[a-z0-9][\w.-]*(\/[\w.-]+)*)$/, 'store-module').describe(
    'File in the folder of the configuration, which begins with ./; or a package installed beside keyturn.',
  ),
  options: z
    .record(z.string(), z.unknown(), { error: 'store-options' satisfies ConfigRule })
    .prefault({})
    .describe('What the module is given.'),
});

export const storeSchema = z.discriminatedUnion(
  'type',
  [fileStore, secretsManager, parameterStore, vault, kubernetes, moduleStore],
  {
    error: ({ code }): ConfigRule => (code === 'invalid_union' ? 'store-type' : 'store'),
  },
);

export type StoreEntry = z.output<typeof storeSchema>;
export type HttpTlsEntry = z.output<typeof httpTls>;
